-- The library's own authority for the certificates of its nodes: one row. The key is encrypted.
create table authority (
    id integer primary key check (id = 1),
    certificate text not null,
    sealed_key text not null
);
