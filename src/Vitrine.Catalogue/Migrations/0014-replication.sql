-- Wanted in every zone, those that are added later too.
alter table images add column all_zones boolean not null default false;

create index images_of_all_zones on images (created_at, id) where all_zones;

-- The target is to have all that the store has.
create table replications (
    store {ordered-text} not null,
    target {ordered-text} not null,
    primary key (target, store)
);
