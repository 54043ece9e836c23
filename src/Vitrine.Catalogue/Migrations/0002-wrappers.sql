-- The file that content was unpacked from; null where the content is the file as it came.
alter table images add column source_file_digest text;
alter table images add column source_file_size bigint;
alter table images add column source_file_wrapper text;

alter table transfers add column unpacked bigint not null default 0;
