-- Times are microseconds since 1970 in UTC; ids are opaque words.

create table identity_domains (
    id {ordered-text} not null primary key,
    name {ordered-text} not null,
    description text not null,
    enabled boolean not null,
    created_at bigint not null,
    version bigint not null
);

create unique index identity_domains_name on identity_domains (name);

create table identity_projects (
    id {ordered-text} not null primary key,
    domain {ordered-text} not null references identity_domains (id) on delete cascade,
    name {ordered-text} not null,
    description text not null,
    enabled boolean not null,
    created_at bigint not null,
    version bigint not null
);

create unique index identity_projects_name on identity_projects (domain, name);

create table identity_users (
    id {ordered-text} not null primary key,
    domain {ordered-text} not null references identity_domains (id) on delete cascade,
    name {ordered-text} not null,
    description text not null,
    email text,
    -- May name a project that is gone; then it means nothing.
    default_project text,
    password_hash text,
    tokens_valid_from bigint not null,
    enabled boolean not null,
    created_at bigint not null,
    version bigint not null
);

create unique index identity_users_name on identity_users (domain, name);

create table identity_roles (
    id {ordered-text} not null primary key,
    name {ordered-text} not null,
    description text not null,
    version bigint not null
);

create unique index identity_roles_name on identity_roles (name);

create table identity_assignments (
    user_id {ordered-text} not null references identity_users (id) on delete cascade,
    kind text not null,
    -- A project's or a domain's id, and empty for the system, so no one table can be referred to.
    target {ordered-text} not null,
    role_id {ordered-text} not null references identity_roles (id) on delete cascade,
    primary key (user_id, kind, target, role_id)
);

create index identity_assignments_of_target on identity_assignments (kind, target);
create index identity_assignments_of_role on identity_assignments (role_id);

create table application_credentials (
    id {ordered-text} not null primary key,
    user_id {ordered-text} not null references identity_users (id) on delete cascade,
    project_id {ordered-text} not null references identity_projects (id) on delete cascade,
    name {ordered-text} not null,
    description text not null,
    secret_hash text not null,
    -- Ids with spaces between them. One may name a role that is gone; then it means nothing.
    roles text not null,
    unrestricted boolean not null,
    expires_at bigint,
    created_at bigint not null
);

create unique index application_credentials_name on application_credentials (user_id, name);
create index application_credentials_of_project on application_credentials (project_id);

create table revoked_tokens (
    audit_id {ordered-text} not null primary key,
    expires_at bigint not null
);

create index revoked_tokens_by_expiry on revoked_tokens (expires_at);

-- One row, counted up by every change of the tables above but the last. Its lock also puts the changes into an order.
create table identity_generation (
    number bigint not null
);

insert into identity_generation (number) values (1);
