create table metadata_namespaces (
    id {ordered-text} not null primary key,
    name {ordered-text} not null,
    display_name text,
    description text,
    public boolean not null,
    protected boolean not null,
    owner {ordered-text},

    -- JSON: what is read and written with the namespace as a whole.
    resource_types text not null,
    definitions text not null,
    created_at bigint not null,
    updated_at bigint not null,
    version bigint not null
);

create unique index metadata_namespaces_name on metadata_namespaces (name);

-- By which lists find the namespaces that are meant for a type.
create table metadata_links (
    namespace {ordered-text} not null references metadata_namespaces (id) on delete cascade,
    resource_type {ordered-text} not null,
    primary key (namespace, resource_type)
);

create index metadata_links_by_type on metadata_links (resource_type, namespace);

create table metadata_resource_types (
    name {ordered-text} not null primary key,
    created_at bigint not null
);

-- The names under which namespaces were ever preloaded.
create table metadata_preloads (
    name {ordered-text} not null primary key
);
