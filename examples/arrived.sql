-- Is every message somewhere: as a label and a vector, or as a dead letter?
SELECT
    (SELECT count(*) FROM readmes_raw) AS sent,
    (SELECT count(*) FROM labelled) AS labelled,
    (SELECT count(*) FROM embedded) AS embedded,
    (SELECT count(*) FROM readmes_dead) AS dead;
