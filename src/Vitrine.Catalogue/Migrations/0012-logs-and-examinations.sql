-- Where a transfer stood when its state changed, so that what happened to it can be told.
alter table events add column cause text;
alter table events add column node text;
alter table events add column step text;
alter table events add column attempt integer;
alter table events add column moved bigint;

create index events_by_transfer on events (transfer) where transfer is not null;

-- All nodes are asked to look at themselves, and at an address. The whole address is encrypted; nodes is a JSON array of those that there were.
create table examinations (
    id {ordered-text} primary key,
    url text,
    url_secret text,
    nodes text not null,
    asked_at bigint not null
);

-- What each node found: a JSON array.
create table examination_answers (
    examination {ordered-text} not null references examinations (id) on delete cascade,
    node text not null,
    findings text not null,
    primary key (examination, node)
);
