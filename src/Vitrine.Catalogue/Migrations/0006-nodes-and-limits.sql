-- JSON arrays of names, as roles has them.
alter table nodes add column stores text not null default '[]';
alter table nodes add column cores integer not null default 0;
alter table nodes add column memory bigint not null default 0;

-- What operators let the node do; what it reports of itself does not change it.
alter table nodes add column mode text not null default 'open';

-- What it does of that already, by its own report.
alter table nodes add column obeys text not null default 'open';

-- The host of an import's source, for counting; null for what has none.
alter table transfers add column source_host text;

-- How often a transfer began anew beside what a stopped run still holds.
alter table transfers add column staging_turn integer not null default 0;

-- What operators decided: null for no limit. Limits that are not here are as configured.
create table limits (
    name {ordered-text} not null primary key,
    value bigint
);

-- The version of the image that all its stores have a description of; 0 where its members were changed since.
alter table images add column described bigint not null default 0;
create index images_undescribed on images (id) where described <> version and status in ('active', 'deleted');

-- The version of the image that a store has a description of; 0 where its members were changed since, -1 while somebody describes it.
create table image_descriptions (
    image {ordered-text} not null references images (id),
    store {ordered-text} not null,
    version bigint not null,
    primary key (image, store)
);

-- No store has described anything before: nothing is to be removed for images that are gone.
update images set described = version where status = 'deleted';
