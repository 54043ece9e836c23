using System.Net;
using System.Runtime.CompilerServices;
using Amazon.Runtime;
using Amazon.S3;

namespace Vitrine.Stores.Objects.S3;

/// <summary>Sends requests: so many at once, each for a bounded time, and again, after a pause, where that may help.</summary>
internal sealed class S3Requests : IDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    // So much of a body is given to the connection at a time. Less costs a call to the kernel for every few kilobytes.
    private const int BodyStep = 256 * 1024;

    // Longer ones miss it when the name of the server leads elsewhere.
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    private readonly S3StoreOptions _options;
    private readonly TimeProvider _time;
    private readonly AmazonS3Client _client;
    private readonly SemaphoreSlim _slots;

    public S3Requests(string store, S3StoreOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        Errors = new S3Errors(store);
        _slots = new SemaphoreSlim(options.ParallelRequests);
        _client = new AmazonS3Client(new BasicAWSCredentials(options.AccessKey, options.SecretKey), Configure(options));
    }

    public S3Errors Errors { get; }

    /// <param name="needed">How many bytes the request writes, for the failure that there is no room for them.</param>
    /// <exception cref="StoreUnavailableException">The server refuses it, or fails longer than it is asked again.</exception>
    /// <exception cref="StoreFullException">There is no room.</exception>
    /// <param name="operation">What the request is for, as metrics name it.</param>
    public async Task<T> SendAsync<T>(
        Func<AmazonS3Client, CancellationToken, Task<T>> request, CancellationToken cancellationToken, long? needed = null, [CallerMemberName] string operation = "")
    {
        for (var retry = 0; ; retry++)
        {
            try
            {
                return await TryAsync(request, operation, cancellationToken);
            }
            catch (Exception error) when (IsOfTheServer(error))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (retry == _options.Retries || !S3Errors.IsPassing(error))
                    throw Errors.Explain(error, needed);

                await Task.Delay(PauseBefore(retry), _time, cancellationToken);
            }
        }
    }

    /// <summary>Sends what nobody waits for the success of.</summary>
    public async Task SendOnceAsync<T>(Func<AmazonS3Client, CancellationToken, Task<T>> request, [CallerMemberName] string operation = "")
    {
        try
        {
            await TryAsync(request, operation, CancellationToken.None);
        }
        catch (Exception error) when (IsOfTheServer(error))
        {
            // As announced.
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _slots.Dispose();
    }

    // Whatever comes out of a request, the client's own parsers included, is an answer of the server's; what we say of it is not.
    private static bool IsOfTheServer(Exception error) => error is not (LibraryException or ObjectMissingException);

    private async Task<T> TryAsync<T>(Func<AmazonS3Client, CancellationToken, Task<T>> request, string operation, CancellationToken cancellationToken)
    {
        await _slots.WaitAsync(cancellationToken);
        var (began, outcome) = (_time.GetTimestamp(), "failed");
        try
        {
            using var time = new CancellationTokenSource(_options.RequestTimeout, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, time.Token);
            var answer = await request(_client, either.Token);
            outcome = "answered";
            return answer;
        }
        catch (ObjectMissingException)
        {
            outcome = "answered";
            throw;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            outcome = "cancelled";
            throw;
        }
        finally
        {
            _slots.Release();
            StoreMeter.Observe(Errors.Store, operation, outcome, _time.GetElapsedTime(began));
        }
    }

    // Half of it is left to chance, so that clients that failed together do not come back together.
    private static TimeSpan PauseBefore(int retry)
    {
        var pause = Math.Min(FirstPause.TotalSeconds * Math.Pow(2, retry), LongestPause.TotalSeconds);
        return TimeSpan.FromSeconds(pause * (1 + Random.Shared.NextDouble()) / 2);
    }

    private static AmazonS3Config Configure(S3StoreOptions options) => new()
    {
        ServiceURL = options.Endpoint,
        IgnoreConfiguredEndpointUrls = true,
        AuthenticationRegion = options.Region,
        ForcePathStyle = options.PathStyle,
        UseHttp = new Uri(options.Endpoint).Scheme == Uri.UriSchemeHttp,
        RequestChecksumCalculation =
            options.ChecksumTrailers ? RequestChecksumCalculation.WHEN_SUPPORTED : RequestChecksumCalculation.WHEN_REQUIRED,
        ResponseChecksumValidation =
            options.ChecksumTrailers ? ResponseChecksumValidation.WHEN_SUPPORTED : ResponseChecksumValidation.WHEN_REQUIRED,
        BufferSize = BodyStep,
        // We send again ourselves, and know then that it is not for the first time.
        MaxErrorRetry = 0,
        MaxStaleConnectionRetries = 0,
        Timeout = Timeout.InfiniteTimeSpan,
        HttpClientFactory = new Connections(),
    };

    private sealed class Connections : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = ConnectTimeout,
            PooledConnectionLifetime = ConnectionLifetime,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }
}
