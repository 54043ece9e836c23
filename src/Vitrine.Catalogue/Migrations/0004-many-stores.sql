alter table transfers add column source_store text;
alter table transfers add column moves_from text;

-- A JSON array of names.
alter table transfers add column further_stores text not null default '[]';
alter table transfers add column operation {ordered-text};

create index transfers_of_operation on transfers (operation) where operation is not null;

alter table stores add column mode text not null default 'open';

alter table store_operations add column sources text not null default '[]';
alter table store_operations add column moves boolean not null default false;

-- Upkeep one at a time, and beside it one of each kind that works on replicas.
drop index store_operations_living;
create unique index store_operations_living on store_operations (store, (case when kind in ('collect', 'scrub') then 'upkeep' else kind end))
    where state not in ('done', 'failed');
