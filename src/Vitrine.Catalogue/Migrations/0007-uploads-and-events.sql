-- What clients send beside each other; gone with the end of the transfer.
create table upload_parts (
    upload {ordered-text} not null,
    number integer not null,
    length bigint not null,
    moved bigint not null,
    place integer,
    created_at bigint not null,
    primary key (upload, number)
);

-- The bytes that were put together so far out of parts.
alter table transfers add column assembled bigint not null default 0;
