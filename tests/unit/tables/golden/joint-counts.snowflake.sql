SELECT
  *
FROM (
  SELECT
    CASE WHEN GROUPING(s0) = 0 THEN 0 ELSE -1 END AS place,
    CASE WHEN GROUPING(s0) = 0 THEN s0 ELSE -1 END AS code,
    label,
    base,
    head,
    COUNT(*) AS n
  FROM paired
  GROUP BY
    GROUPING SETS (
      (label, base, head),
      (s0, label, base, head)
    )
)
WHERE
  NOT code IS NULL
ORDER BY
  place,
  code,
  label,
  base,
  head
