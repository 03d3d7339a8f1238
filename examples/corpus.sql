-- The README files of the crates that built this project, one row a crate: run by `make demo`,
-- which puts the local cargo registry in place of {registry}.
COPY (
    SELECT DISTINCT ON (crate) crate, version, text, bytes
    FROM (
        SELECT
            regexp_replace(folder, '-[0-9]+\.[0-9]+\.[0-9].*$', '') AS crate,
            regexp_replace(folder, '^.*-([0-9]+\.[0-9]+\.[0-9].*)$', '\1') AS version,
            text,
            bytes
        FROM (
            SELECT regexp_replace(path, '^.*/([^/]+)/[^/]+$', '\1') AS folder, text, bytes
            FROM read_text('{registry}/src/*/*/README.md', 'replace')
        )
    )
    ORDER BY crate, version DESC
) TO 'corpus.parquet';
