-- Which messages failed, and why?
SELECT message, arrow_cast(header['value'], 'Utf8') AS reason
FROM (SELECT message, unnest(_headers) AS header FROM readmes_dead)
WHERE header['key'] = '__connect.errors.exception.message'
ORDER BY message;
