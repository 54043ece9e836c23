-- An empty project is every project that has no row of its own; sizes are in MiB, and -1 is no limit.
create table quotas (
    id {ordered-text} not null primary key,
    project {ordered-text} not null,
    resource text not null,
    most bigint not null,
    description text not null
);

create unique index quotas_of_project on quotas (project, resource);

-- A row that changes lock which are held against the quotas of a project, so that each sees those before it.
create table quota_turns (
    project {ordered-text} not null primary key
);
