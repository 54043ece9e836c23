-- A JSON array of ids; empty for all images of the sources.
alter table store_operations add column images text not null default '[]';

-- Stores that were added while the library ran. What was said of them is encrypted.
create table added_stores (
    name {ordered-text} not null primary key references stores (name),
    settings text not null,
    added_by text not null,
    added_at bigint not null
);

-- By which copies between stores reach it.
alter table stores add column sync_address text;
