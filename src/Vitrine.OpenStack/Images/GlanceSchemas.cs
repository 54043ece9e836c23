using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vitrine.OpenStack.Images;

/// <summary>The JSON schemas of what the face answers. Clients make their options from them, and check every answer with them.</summary>
internal static class GlanceSchemas
{
    private const string Uuid = "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$";

    private const string Image = $$"""
        {
          "name": "image",
          "properties": {
            "id": {"type": "string", "pattern": "{{Uuid}}", "description": "The identifier of the image; one is made where none is given"},
            "name": {"type": ["null", "string"], "maxLength": 255, "description": "A name for people; it need not be unique"},
            "status": {"type": "string", "readOnly": true, "description": "What can be done with the image now",
              "enum": ["queued", "saving", "active", "killed", "deleted", "uploading", "importing", "pending_delete", "deactivated"]},
            "visibility": {"type": "string", "description": "Who sees the image", "enum": ["community", "public", "private", "shared"]},
            "protected": {"type": "boolean", "description": "Whether the image is safe from deletion"},
            "os_hidden": {"type": "boolean", "description": "Whether the image is left out of lists that do not ask for hidden ones"},
            "checksum": {"type": ["null", "string"], "readOnly": true, "maxLength": 32, "description": "The MD5 of the data"},
            "os_hash_algo": {"type": ["null", "string"], "readOnly": true, "maxLength": 64, "description": "The algorithm of os_hash_value"},
            "os_hash_value": {"type": ["null", "string"], "readOnly": true, "maxLength": 128, "description": "The sum of the data by os_hash_algo"},
            "owner": {"type": ["null", "string"], "maxLength": 255, "description": "The project that owns the image"},
            "size": {"type": ["null", "integer"], "readOnly": true, "description": "The length of the data in bytes"},
            "virtual_size": {"type": ["null", "integer"], "readOnly": true, "description": "The length of the guest's disk in bytes"},
            "container_format": {"type": ["null", "string"], "description": "What wraps the data",
              "enum": [null, "ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed"]},
            "disk_format": {"type": ["null", "string"], "description": "What the data are",
              "enum": [null, "ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop"]},
            "created_at": {"type": "string", "readOnly": true, "description": "When the image was described"},
            "updated_at": {"type": "string", "readOnly": true, "description": "When the image was last changed"},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 255}, "description": "Words by which images are found"},
            "direct_url": {"type": "string", "readOnly": true, "description": "Where a store keeps the data"},
            "min_ram": {"type": "integer", "description": "The memory in MiB that a guest needs at least"},
            "min_disk": {"type": "integer", "description": "The disk in GiB that a guest needs at least"},
            "self": {"type": "string", "readOnly": true, "description": "The path of the image"},
            "file": {"type": "string", "readOnly": true, "description": "The path of the image's data"},
            "stores": {"type": "string", "readOnly": true, "description": "The stores that have the data"},
            "schema": {"type": "string", "readOnly": true, "description": "The path of this description"},
            "architecture": {"type": "string", "is_base": false, "description": "The processor that a guest needs"},
            "hw_firmware_type": {"type": "string", "is_base": false, "description": "The firmware that a guest boots by: bios or uefi"},
            "os_type": {"type": "string", "is_base": false, "description": "The family of the guest's system: linux or windows"},
            "os_distro": {"type": "string", "is_base": false, "description": "The distribution of the guest's system"},
            "os_version": {"type": "string", "is_base": false, "description": "The version of the guest's system"},
            "instance_uuid": {"type": "string", "is_base": false, "description": "The guest that the image was made from"},
            "kernel_id": {"type": ["null", "string"], "is_base": false, "pattern": "{{Uuid}}", "description": "The image of the kernel that boots this one"},
            "ramdisk_id": {"type": ["null", "string"], "is_base": false, "pattern": "{{Uuid}}", "description": "The image of the ram disk that boots this one"}
          },
          "additionalProperties": {"type": "string"},
          "links": [
            {"rel": "self", "href": "{self}"},
            {"rel": "enclosure", "href": "{file}"},
            {"rel": "describedby", "href": "{schema}"}
          ]
        }
        """;

    private const string Member = """
        {
          "name": "member",
          "properties": {
            "member_id": {"type": "string", "description": "The project that the image is shared with"},
            "image_id": {"type": "string", "description": "The image"},
            "status": {"type": "string", "enum": ["pending", "accepted", "rejected"], "description": "The project's answer to being shared the image"},
            "created_at": {"type": "string", "description": "When the image was shared"},
            "updated_at": {"type": "string", "description": "When the answer was last changed"},
            "schema": {"type": "string", "readOnly": true}
          }
        }
        """;

    private const string Task = """
        {
          "name": "task",
          "properties": {
            "id": {"type": "string", "description": "The identifier of the task"},
            "type": {"type": "string", "enum": ["import", "export", "clone", "location_import", "api_image_import"], "description": "What the task does"},
            "status": {"type": "string", "enum": ["pending", "processing", "success", "failure"], "description": "How far the task is"},
            "owner": {"type": "string", "description": "The project that the task works for"},
            "input": {"type": ["null", "object"], "description": "What the task was asked for"},
            "result": {"type": ["null", "object"], "description": "What came of the task"},
            "message": {"type": "string", "description": "Why the task failed"},
            "expires_at": {"type": ["null", "string"], "description": "When the task will be forgotten"},
            "created_at": {"type": "string", "description": "When the task was asked for"},
            "updated_at": {"type": "string", "description": "When the task last went on"},
            "image_id": {"type": "string", "description": "The image that the task works on"},
            "request_id": {"type": ["null", "string"], "description": "The request that began the task"},
            "user_id": {"type": ["null", "string"], "description": "The user that asked for the task"},
            "self": {"type": "string", "readOnly": true},
            "schema": {"type": "string", "readOnly": true}
          }
        }
        """;

    private static readonly FrozenDictionary<string, byte[]> ByName = new Dictionary<string, JsonNode>
    {
        ["image"] = Parsed(Image),
        ["images"] = ListOf(Parsed(Image), "images", paged: true),
        ["member"] = Parsed(Member),
        ["members"] = ListOf(Parsed(Member), "members", paged: false),
        ["task"] = Parsed(Task),
        ["tasks"] = ListOf(Parsed(Task), "tasks", paged: true),
    }.ToFrozenDictionary(s => s.Key, s => JsonSerializer.SerializeToUtf8Bytes(s.Value), StringComparer.Ordinal);

    public static byte[]? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>The schema of a list, of the schema of what is in it.</summary>
    internal static JsonObject ListOf(JsonNode item, string name, bool paged)
    {
        var properties = new JsonObject
        {
            [name] = new JsonObject { ["type"] = "array", ["items"] = item },
            ["schema"] = new JsonObject { ["type"] = "string" },
        };
        var links = new JsonArray(Link("describedby", "{schema}"));
        if (paged)
        {
            properties["first"] = new JsonObject { ["type"] = "string" };
            properties["next"] = new JsonObject { ["type"] = "string" };
            links.Add(Link("first", "{first}"));
            links.Add(Link("next", "{next}"));
        }

        return new JsonObject { ["name"] = name, ["properties"] = properties, ["links"] = links };
    }

    private static JsonNode Link(string rel, string href) => new JsonObject { ["rel"] = rel, ["href"] = href };

    private static JsonNode Parsed(string schema) => JsonNode.Parse(schema)!;
}
