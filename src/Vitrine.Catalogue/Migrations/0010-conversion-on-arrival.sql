-- What the disk in a file was that a store keeps in another format; a file that was only unpacked has none. Its wrapper is null where it had none.
alter table images add column source_file_format text;

alter table transfers add column converted bigint not null default 0;
