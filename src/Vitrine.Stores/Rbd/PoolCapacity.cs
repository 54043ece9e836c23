using System.Text.Json;

namespace Vitrine.Stores.Rbd;

/// <summary>What the monitors' command <c>df detail</c> says of a pool.</summary>
internal static class PoolCapacity
{
    /// <returns>Bytes as a client sees them, replicas not counted. Unknown where a cluster has no manager: it counts nothing, and says zero or leaves it out.</returns>
    public static StoreCapacity Parse(byte[] answer, string pool)
    {
        try
        {
            using var json = JsonDocument.Parse(answer);
            foreach (var entry in json.RootElement.GetProperty("pools").EnumerateArray())
            {
                if (entry.GetProperty("name").GetString() == pool)
                    return CapacityOf(entry.GetProperty("stats"));
            }
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            // Of a version that says it otherwise.
        }

        return new StoreCapacity(Total: null, Free: null);
    }

    private static StoreCapacity CapacityOf(JsonElement stats)
    {
        var (stored, free) = (stats.GetProperty("stored").GetInt64(), stats.GetProperty("max_avail").GetInt64());
        if (stored == 0 && free == 0)
            return new StoreCapacity(Total: null, Free: null);

        // Zero is no quota.
        var quota = stats.TryGetProperty("quota_bytes", out var bound) ? bound.GetInt64() : 0;
        return quota > 0
            ? new StoreCapacity(Math.Min(quota, stored + free), Math.Clamp(quota - stored, 0, free))
            : new StoreCapacity(stored + free, free);
    }
}
