namespace Vitrine.Nbd.Wire;

/// <summary>What a client wants of the handshake. NBD_OPT_…</summary>
internal enum NbdOption : uint
{
    ExportName = 1,
    Abort = 2,
    List = 3,
    StartTls = 5,
    Info = 6,
    Go = 7,
    StructuredReply = 8,
    ListMetaContext = 9,
    SetMetaContext = 10,
}

/// <summary>What the server says to an option. NBD_REP_…; those with the highest bit are errors.</summary>
internal enum NbdOptionReply : uint
{
    Acknowledged = 1, // NBD_REP_ACK
    Server = 2,
    Info = 3,
    MetaContext = 4,
    Unsupported = 0x8000_0001, // NBD_REP_ERR_UNSUP
    Policy = 0x8000_0002,
    Invalid = 0x8000_0003,
    TlsRequired = 0x8000_0005, // NBD_REP_ERR_TLS_REQD
    UnknownExport = 0x8000_0006, // NBD_REP_ERR_UNKNOWN
    TooBig = 0x8000_0009,
}

/// <summary>A fact about an export. NBD_INFO_…</summary>
internal enum NbdInfo : ushort
{
    Export = 0,
    Name = 1,
    Description = 2,
    BlockSize = 3,
}

/// <summary>What both ends say of themselves first. NBD_FLAG_… and NBD_FLAG_C_…</summary>
[Flags]
internal enum NbdHandshakeFlags : uint
{
    None = 0,
    FixedNewstyle = 1 << 0,
    NoZeroes = 1 << 1,
}

/// <summary>What can be done with an export. NBD_FLAG_…</summary>
[Flags]
internal enum NbdTransmissionFlags : ushort
{
    HasFlags = 1 << 0,
    ReadOnly = 1 << 1,
    SendFlush = 1 << 2,
    SendDontFragment = 1 << 7, // NBD_FLAG_SEND_DF
    CanMultiConnection = 1 << 8, // NBD_FLAG_CAN_MULTI_CONN
}

/// <summary>NBD_CMD_…</summary>
internal enum NbdCommand : ushort
{
    Read = 0,
    Write = 1,
    Disconnect = 2, // NBD_CMD_DISC
    Flush = 3,
    Trim = 4,
    Cache = 5,
    WriteZeroes = 6,
    BlockStatus = 7,
}

/// <summary>NBD_CMD_FLAG_…; those of writing have no name here, since nothing is written.</summary>
[Flags]
internal enum NbdCommandFlags : ushort
{
    None = 0,
    DontFragment = 1 << 2, // NBD_CMD_FLAG_DF
    RequestOne = 1 << 3, // NBD_CMD_FLAG_REQ_ONE
}

/// <summary>How a request failed: the protocol's few numbers, which are Linux's.</summary>
internal enum NbdError : uint
{
    None = 0,
    NotPermitted = 1, // EPERM
    InputOutput = 5, // EIO
    Invalid = 22, // EINVAL
    Overflow = 75, // EOVERFLOW
}

/// <summary>What a chunk of a structured reply is. NBD_REPLY_TYPE_…</summary>
internal enum NbdChunk : ushort
{
    None = 0,
    OffsetData = 1,
    OffsetHole = 2,
    BlockStatus = 5,
    Error = 0x8001,
    ErrorOffset = 0x8002,
}

/// <summary>What base:allocation says of a range. NBD_STATE_…</summary>
[Flags]
internal enum NbdAllocation : uint
{
    Data = 0,
    Hole = 1 << 0,
    Zero = 1 << 1,
}
