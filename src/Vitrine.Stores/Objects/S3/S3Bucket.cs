using System.Buffers;
using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;

namespace Vitrine.Stores.Objects.S3;

/// <summary>The objects of a bucket below a prefix, by the calls that radosgw, Swift and AWS all know.</summary>
/// <remarks>Conditions on writes are not among them, nor is the deletion of many at once.</remarks>
internal sealed class S3Bucket(string store, S3StoreOptions options, TimeProvider time) : IDisposable
{
    /// <summary>What is longer is sent in parts of this length. There may be 10,000 of them.</summary>
    public const int PartLength = 8 * 1024 * 1024;

    /// <summary>The least that every part but the last must have.</summary>
    public const int ShortestPart = 5 * 1024 * 1024;

    private const int PartsAtOnce = 4;
    private const int MostRooms = 3;
    private const int DeletesAtOnce = 8;
    private const int LongestRead = 16 * 1024 * 1024;

    private readonly S3Requests _requests = new(store, options, time);

    // Over TLS nobody in between can change a body, and signing it would cost as much as encrypting it.
    private readonly bool _leavesBodiesUnsigned = new Uri(options.Endpoint).Scheme == Uri.UriSchemeHttps;

    /// <summary>Of the parts of objects that grow.</summary>
    public S3PartRooms Rooms { get; } = new(Math.Min(options.ParallelRequests, MostRooms));

    /// <summary>How many names a list asks for at a time.</summary>
    public int PageLength { get; init; } = 1000;

    /// <returns>Null where there is no such object, or no bucket: an answer without a body does not tell which.</returns>
    public Task<ObjectFacts?> FindAsync(string name, CancellationToken cancellationToken) => _requests.SendAsync(
        async (client, token) =>
        {
            try
            {
                var head = await client.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = options.Bucket, Key = KeyOf(name) }, token);
                return new ObjectFacts(name, head.ContentLength, TimeOf(head.LastModified));
            }
            catch (AmazonS3Exception error) when (error.StatusCode == HttpStatusCode.NotFound)
            {
                return (ObjectFacts?)null;
            }
        },
        cancellationToken);

    /// <returns>How many bytes were read: fewer than the buffer takes only where the object ends.</returns>
    /// <exception cref="ObjectMissingException">There is no such object.</exception>
    public async Task<int> ReadAsync(string name, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var read = new RangeRead(options.Bucket, KeyOf(name), name, offset, buffer);
        while (!read.IsOver)
            await _requests.SendAsync(read.GoOnAsync, cancellationToken);

        return read.Count;
    }

    public Task PutAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        bytes.Length > 2 * PartLength
            ? PutInPartsAsync(
                name,
                [.. S3Part.Divide(bytes.Length)],
                (offset, part, _) =>
                {
                    bytes.Slice((int)offset, part.Length).CopyTo(part);
                    return Task.CompletedTask;
                },
                cancellationToken)
            : PutAtOnceAsync(name, bytes, cancellationToken);

    /// <summary>Puts an object that is not in memory as a whole.</summary>
    /// <param name="parts">One after the other, from the beginning.</param>
    /// <param name="fillAsync">Fills a part that is sent and begins at an offset. Several are asked for at once.</param>
    public async Task PutInPartsAsync(
        string name, IReadOnlyList<S3Part> parts, Func<long, Memory<byte>, CancellationToken, Task> fillAsync, CancellationToken cancellationToken)
    {
        var length = parts[^1].End;
        var upload = await BeginUploadAsync(name, cancellationToken);
        try
        {
            var tags = new PartETag[parts.Count];
            await Parallel.ForAsync(
                0,
                parts.Count,
                new ParallelOptions { MaxDegreeOfParallelism = PartsAtOnce, CancellationToken = cancellationToken },
                async (i, token) => tags[i] = parts[i].CopyOf is null
                    ? await FillPartAsync(name, upload, i + 1, parts[i], length, fillAsync, token)
                    : await CopyPartAsync(name, upload, i + 1, parts[i], length, token));
            await CompleteUploadAsync(name, upload, tags, length, cancellationToken);
        }
        catch
        {
            await AbortUploadAsync(name, upload);
            throw;
        }
    }

    /// <returns>What the upload is called.</returns>
    public Task<string> BeginUploadAsync(string name, CancellationToken cancellationToken) => _requests.SendAsync(
        async (client, token) => (await client.InitiateMultipartUploadAsync(
            new InitiateMultipartUploadRequest { BucketName = options.Bucket, Key = KeyOf(name) }, token)).UploadId,
        cancellationToken);

    /// <param name="number">From 1. A part that is put again replaces what was put before.</param>
    /// <param name="length">Of the whole object, as far as it is known.</param>
    public async Task<PartETag> PutPartAsync(
        string name, string upload, int number, ReadOnlyMemory<byte> bytes, long length, CancellationToken cancellationToken)
    {
        var digest = DigestOf(bytes);
        var sent = await _requests.SendAsync(
            (client, token) => client.UploadPartAsync(
                new UploadPartRequest
                {
                    BucketName = options.Bucket,
                    Key = KeyOf(name),
                    UploadId = upload,
                    PartNumber = number,
                    PartSize = bytes.Length,
                    InputStream = StreamOf(bytes),
                    MD5Digest = digest,
                    UseChunkEncoding = options.ChunkedSigning,
                    DisablePayloadSigning = _leavesBodiesUnsigned,
                },
                token),
            cancellationToken,
            length);
        return new PartETag(number, sent.ETag);
    }

    /// <param name="length">Of the whole object.</param>
    public async Task CompleteUploadAsync(string name, string upload, PartETag[] tags, long length, CancellationToken cancellationToken)
    {
        var isCompleted = await _requests.SendAsync(
            async (client, token) =>
            {
                try
                {
                    await client.CompleteMultipartUploadAsync(
                        new CompleteMultipartUploadRequest { BucketName = options.Bucket, Key = KeyOf(name), UploadId = upload, PartETags = [.. tags] }, token);
                    return true;
                }
                catch (AmazonS3Exception error) when (error.ErrorCode == "NoSuchUpload")
                {
                    return false;
                }
            },
            cancellationToken,
            length);

        // An upload is gone once it is completed, so an earlier try may have done it although its answer was lost.
        if (!isCompleted && (await FindAsync(name, cancellationToken))?.Length != length)
            throw _requests.Errors.Unavailable("its server has lost an upload.");
    }

    /// <summary>Gives up an upload, as far as the server hears of it.</summary>
    public Task AbortUploadAsync(string name, string upload) =>
        _requests.SendOnceAsync((client, token) => client.AbortMultipartUploadAsync(options.Bucket, KeyOf(name), upload, token));

    public Task DeleteAsync(string name, CancellationToken cancellationToken) => _requests.SendAsync(
        async (client, token) =>
        {
            try
            {
                await client.DeleteObjectAsync(options.Bucket, KeyOf(name), token);
            }
            catch (AmazonS3Exception error) when (error.ErrorCode == "NoSuchKey")
            {
                // Swift says so where the answer to the first try was lost.
            }

            return true;
        },
        cancellationToken);

    public Task DeleteAllAsync(IEnumerable<string> names, CancellationToken cancellationToken) => Parallel.ForEachAsync(
        names,
        new ParallelOptions { MaxDegreeOfParallelism = DeletesAtOnce, CancellationToken = cancellationToken },
        async (name, token) => await DeleteAsync(name, token));

    /// <summary>In the order of their names' bytes.</summary>
    public async IAsyncEnumerable<ObjectFacts> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new ListObjectsV2Request { BucketName = options.Bucket, Prefix = KeyOf(prefix), MaxKeys = PageLength };
        while (true)
        {
            var page = await _requests.SendAsync((client, token) => client.ListObjectsV2Async(request, token), cancellationToken);
            foreach (var found in page.S3Objects ?? [])
            {
                if (found.Key.StartsWith(request.Prefix, StringComparison.Ordinal))
                    yield return new ObjectFacts(found.Key[options.Prefix.Length..], found.Size ?? 0, TimeOf(found.LastModified));
            }

            if (page.IsTruncated is not true)
                break;

            if (page.NextContinuationToken is not { Length: > 0 } next || next == request.ContinuationToken)
                throw _requests.Errors.Unavailable("its server gives a list without an end.");

            request.ContinuationToken = next;
        }
    }

    /// <summary>Gives up uploads in parts that were begun before a time and never ended.</summary>
    public async Task AbortUploadsAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        var request = new ListMultipartUploadsRequest { BucketName = options.Bucket, Prefix = options.Prefix };
        ListMultipartUploadsResponse page;
        do
        {
            page = await _requests.SendAsync((client, token) => client.ListMultipartUploadsAsync(request, token), cancellationToken);
            foreach (var upload in page.MultipartUploads ?? [])
            {
                if (upload.Key.StartsWith(options.Prefix, StringComparison.Ordinal) && TimeOf(upload.Initiated) < before)
                    await _requests.SendOnceAsync((client, token) => client.AbortMultipartUploadAsync(options.Bucket, upload.Key, upload.UploadId, token));
            }

            (request.KeyMarker, request.UploadIdMarker) = (page.NextKeyMarker, page.NextUploadIdMarker);
        }
        while (page.IsTruncated is true && page.NextKeyMarker is { Length: > 0 });
    }

    public StoreUnavailableException Unavailable(string reason) => _requests.Errors.Unavailable(reason);

    public void Dispose()
    {
        _requests.Dispose();
        Rooms.Dispose();
    }

    private string KeyOf(string name) => options.Prefix + name;

    private static DateTimeOffset TimeOf(DateTime? time) => time is { } known ? new DateTimeOffset(known.ToUniversalTime()) : DateTimeOffset.UnixEpoch;

    // The SHA-256 of a body that is signed as a whole is in its signature, and the server holds the body against it.
    private string? DigestOf(ReadOnlyMemory<byte> bytes) =>
        _leavesBodiesUnsigned || options.ChunkedSigning ? Convert.ToBase64String(MD5.HashData(bytes.Span)) : null;

    private static MemoryStream StreamOf(ReadOnlyMemory<byte> bytes) => MemoryMarshal.TryGetArray(bytes, out var array)
        ? new MemoryStream(array.Array!, array.Offset, array.Count, writable: false)
        : new MemoryStream(bytes.ToArray(), writable: false);

    private Task PutAtOnceAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var digest = DigestOf(bytes);
        return _requests.SendAsync(
            (client, token) => client.PutObjectAsync(
                new PutObjectRequest
                {
                    BucketName = options.Bucket,
                    Key = KeyOf(name),
                    InputStream = StreamOf(bytes),
                    MD5Digest = digest,
                    UseChunkEncoding = options.ChunkedSigning,
                    DisablePayloadSigning = _leavesBodiesUnsigned,
                },
                token),
            cancellationToken,
            bytes.Length);
    }

    private async Task<PartETag> FillPartAsync(
        string name,
        string upload,
        int number,
        S3Part part,
        long length,
        Func<long, Memory<byte>, CancellationToken, Task> fillAsync,
        CancellationToken cancellationToken)
    {
        // A connection that dies may still send of the buffer when it has been lent to somebody else; by its digest, that is refused.
        using var rented = MemoryPool<byte>.Shared.Rent(part.Length);
        var bytes = rented.Memory[..part.Length];
        await fillAsync(part.Start, bytes, cancellationToken);
        return await PutPartAsync(name, upload, number, bytes, length, cancellationToken);
    }

    private async Task<PartETag> CopyPartAsync(string name, string upload, int number, S3Part part, long length, CancellationToken cancellationToken)
    {
        var copied = await _requests.SendAsync(
            (client, token) => client.CopyPartAsync(
                new CopyPartRequest
                {
                    SourceBucket = options.Bucket,
                    SourceKey = KeyOf(part.CopyOf!),
                    FirstByte = 0,
                    LastByte = part.Length - 1,
                    DestinationBucket = options.Bucket,
                    DestinationKey = KeyOf(name),
                    UploadId = upload,
                    PartNumber = number,
                },
                token),
            cancellationToken,
            length);
        return new PartETag(number, copied.ETag);
    }

    /// <summary>A read in as many requests as it takes, which goes on where a connection broke off.</summary>
    private sealed class RangeRead(string bucket, string key, string name, long offset, Memory<byte> buffer)
    {
        private string? _tag;

        public int Count { get; private set; }

        public bool IsOver { get; private set; } = buffer.IsEmpty;

        /// <returns>How many bytes were read so far.</returns>
        public async Task<int> GoOnAsync(AmazonS3Client client, CancellationToken cancellationToken)
        {
            var wanted = Math.Min(buffer.Length - Count, LongestRead);
            var start = offset + Count;
            try
            {
                using var answer = await client.GetObjectAsync(
                    new GetObjectRequest
                    {
                        BucketName = bucket,
                        Key = key,
                        ByteRange = new Amazon.S3.Model.ByteRange(start, start + wanted - 1),
                        // What follows may be of another object by now.
                        EtagToMatch = _tag,
                    },
                    cancellationToken);
                ThrowIfAnotherRange(answer, start);
                _tag = answer.ETag;
                var announced = (int)Math.Min(answer.ContentLength, wanted);
                await ReadAsync(answer.ResponseStream, announced, cancellationToken);
                IsOver = announced < wanted || Count == buffer.Length;
            }
            catch (AmazonS3Exception error) when (error.ErrorCode == "NoSuchKey")
            {
                throw new ObjectMissingException(name, error);
            }
            catch (AmazonS3Exception error) when (error.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
            {
                // It begins behind the end.
                IsOver = true;
            }
            catch (AmazonS3Exception error) when (error.StatusCode == HttpStatusCode.PreconditionFailed)
            {
                (Count, _tag) = (0, null);
                throw new IOException("The object was replaced while it was read.", error);
            }

            return Count;
        }

        private async Task ReadAsync(Stream answer, int length, CancellationToken cancellationToken)
        {
            var end = Count + length;
            while (Count < end)
            {
                var read = await answer.ReadAsync(buffer[Count..end], cancellationToken);
                if (read == 0)
                    throw new IOException("The answer is shorter than it was announced to be.");

                Count += read;
            }
        }

        // A server, or a proxy before it, that does not know ranges gives the whole.
        private static void ThrowIfAnotherRange(GetObjectResponse answer, long start)
        {
            var isWhole = answer.HttpStatusCode == HttpStatusCode.OK;
            if (isWhole ? start != 0 : answer.ContentRange?.StartsWith($"bytes {start}-", StringComparison.Ordinal) is not true)
                throw new InvalidDataException("The answer is not of the range that was asked for.");
        }
    }
}
