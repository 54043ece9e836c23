-- Times are microseconds since 1970 in UTC; identifiers and enumerations are words in lower case.

create table images (
    id {ordered-text} not null primary key,
    owner {ordered-text} not null,
    domain {ordered-text} not null,
    name text,
    name_folded text,
    description text not null,
    status {ordered-text} not null,
    enabled boolean not null,
    kind text not null,
    disk_format text,
    container_format text,
    architecture text,
    platform text,
    os text,
    virt_io boolean not null,
    firmware text,
    csm boolean not null,
    bare_metal boolean not null,
    min_disk integer not null,
    min_memory integer not null,
    visibility text not null,
    protected boolean not null,
    hidden boolean not null,
    source_url text,
    source_key text,

    -- The SHA-256 of the source key, for the index: a key may be longer than PostgreSQL's indexes take.
    source_hash text,
    size bigint,
    content_digest text,
    content_size bigint,
    content_md5 text,
    content_sha512 text,
    content_format text,
    content_virtual_size bigint,
    transfer text,
    created_at bigint not null,
    updated_at bigint not null,
    deleted_at bigint,
    version bigint not null,

    -- What lists are sorted by has no nulls: an image without a value comes before all that have one, in each database.
    name_key {ordered-text} not null generated always as (case when name is null then '' else '=' || name end) stored,
    disk_format_key {ordered-text} not null generated always as (coalesce(disk_format, '')) stored,
    container_format_key {ordered-text} not null generated always as (coalesce(container_format, '')) stored,
    size_key bigint not null generated always as (coalesce(size, -1)) stored
);

create unique index images_source on images (owner, source_hash)
    where source_hash is not null and status <> 'failed' and status <> 'deleted';

-- One index for each way in which a list is entered and sorted; see the comment on ImageListing. To sort by status, disk
-- format or container format, all images that can be seen are read.
create index images_by_created on images (created_at, id) where status <> 'deleted';
create index images_by_updated on images (updated_at, id) where status <> 'deleted';
create index images_by_name on images (name_key, id) where status <> 'deleted';
create index images_by_size on images (size_key, id) where status <> 'deleted';
create index images_of_owner_by_created on images (owner, created_at, id) where status <> 'deleted';
create index images_of_owner_by_updated on images (owner, updated_at, id) where status <> 'deleted';
create index images_of_owner_by_name on images (owner, name_key, id) where status <> 'deleted';
create index images_of_owner_by_size on images (owner, size_key, id) where status <> 'deleted';
create index images_public_by_created on images (domain, created_at, id) where status <> 'deleted' and visibility = 'public';
create index images_public_by_updated on images (domain, updated_at, id) where status <> 'deleted' and visibility = 'public';
create index images_public_by_name on images (domain, name_key, id) where status <> 'deleted' and visibility = 'public';
create index images_public_by_size on images (domain, size_key, id) where status <> 'deleted' and visibility = 'public';
create index images_shared_by_created on images (created_at, id) where status <> 'deleted' and visibility = 'shared';
create index images_shared_by_updated on images (updated_at, id) where status <> 'deleted' and visibility = 'shared';
create index images_shared_by_name on images (name_key, id) where status <> 'deleted' and visibility = 'shared';
create index images_shared_by_size on images (size_key, id) where status <> 'deleted' and visibility = 'shared';
create index images_community_by_created on images (created_at, id) where status <> 'deleted' and visibility = 'community';

-- Single images are found by these. To search for a part of a name all names are read, but nothing else of the images.
create index images_by_folded_name on images (name_folded, id, status) where status <> 'deleted';
create index images_by_digest on images (content_digest) where content_digest is not null;
create index images_by_md5 on images (content_md5) where content_md5 is not null;

create table image_tags (
    image {ordered-text} not null references images (id),
    tag {ordered-text} not null,
    primary key (image, tag)
);

create index image_tags_by_tag on image_tags (tag, image);

create table image_properties (
    image {ordered-text} not null references images (id),
    name {ordered-text} not null,
    value text not null,

    -- The beginning of the value, for the index: a value may be longer than PostgreSQL's indexes take.
    value_key {ordered-text} not null generated always as (substr(value, 1, 64)) stored,
    primary key (image, name)
);

create index image_properties_by_value on image_properties (name, value_key, image);

create table image_members (
    image {ordered-text} not null references images (id),
    project {ordered-text} not null,
    status text not null,
    created_at bigint not null,
    updated_at bigint not null,

    -- Counts within the image, for the order in which members were added.
    position integer not null,
    primary key (image, project)
);

create index image_members_by_project on image_members (project, image);

create table transfers (
    id {ordered-text} not null primary key,
    image {ordered-text} not null references images (id),
    project {ordered-text} not null,
    kind text not null,
    requested_by text,
    request_id text,
    store text not null,
    source_url text,
    source_secret text,
    expected text,
    state text not null,
    step text not null,
    length bigint,
    moved bigint not null,
    fetched bigint not null,
    furthest bigint not null,
    rate double precision not null,
    attempt integer not null,
    fruitless integer not null,
    next_attempt_at bigint,
    validator text,
    content text,
    node text,
    node_name text,
    fence bigint not null,
    failure text,
    notes text not null,
    created_at bigint not null,
    started_at bigint,
    last_progress bigint,
    ended_at bigint,
    version bigint not null
);

create index transfers_by_created on transfers (created_at, id);
create index transfers_of_project on transfers (project, created_at, id);
create index transfers_of_image on transfers (image, created_at, id);
create index transfers_living on transfers (created_at, id) where state not in ('done', 'failed', 'cancelled');

create table replicas (
    image {ordered-text} not null references images (id),
    store {ordered-text} not null,
    state text not null,
    digest {ordered-text},
    size bigint,
    updated_at bigint not null,
    primary key (image, store)
);

create index replicas_by_content on replicas (store, digest);

-- The row of a content is what claims and removals lock, so that of two that cross one sees the other. A removal is under way
-- from its beginning until the row is deleted.
create table contents (
    store {ordered-text} not null,
    digest {ordered-text} not null,
    removal_begun bigint,
    primary key (store, digest)
);

create table content_claims (
    store {ordered-text} not null,
    digest {ordered-text} not null,
    transfer {ordered-text} not null,
    primary key (store, digest, transfer)
);

create index content_claims_of_transfer on content_claims (transfer);

create table zones (
    name {ordered-text} not null primary key,
    description text not null
);

create table stores (
    name {ordered-text} not null primary key,
    zone text not null,
    kind text not null,
    description text not null,
    is_default boolean not null
);

create table nodes (
    name {ordered-text} not null primary key,
    instance text not null,
    zone text not null,
    roles text not null,
    address text not null,
    version text not null,
    started_at bigint not null,
    heartbeat bigint not null
);

create table data_protection_keys (
    name {ordered-text} not null primary key,
    xml text not null
);
