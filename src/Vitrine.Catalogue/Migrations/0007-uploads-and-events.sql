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

-- What became of images and transfers. Transactions end in another order than they count: who reads goes by both columns, and no further
-- than the oldest transaction that is still open.
create table events (
    number {counted},
    written_by {transaction},
    image {ordered-text} not null,
    transfer {ordered-text},
    project text not null,
    visibility text,
    domain text,
    state text not null,
    previous text,
    failure text,
    requested_by text,
    request_id text,
    created_at bigint not null
);

create index events_in_order on events (written_by, number);
create index events_by_age on events (created_at);
