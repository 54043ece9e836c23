create table store_operations (
    id {ordered-text} not null primary key,
    store {ordered-text} not null,
    kind text not null,
    requested_by text,
    rate bigint,
    state text not null,
    done bigint not null,
    total bigint not null,
    node text,
    node_name text,
    result text,
    failure text,
    created_at bigint not null,
    started_at bigint,
    ended_at bigint,
    version bigint not null
);

-- One at a time.
create unique index store_operations_living on store_operations (store) where state not in ('done', 'failed');
create index store_operations_of_store on store_operations (store, created_at, id);
