-- What the demo company runs: from the tables `lines`, `accounts`, `apps` and `events` of one provider to
-- `slots` (one kind of charge in one account and region), `resources` (what it is charged for) and
-- `days`. Everything that looks random is a hash of the seed and the row's own keys, so that the same
-- arguments give the same bills, whatever the order or number of threads.
CREATE MACRO uniform(a, b, c) AS
    ((hash(getvariable('seed'), a, b, c) >> 11)::DOUBLE / 9007199254740992.0);
CREATE MACRO digest(a, b) AS md5(concat_ws('|', getvariable('seed'), a, b));
CREATE MACRO guid(a, b) AS regexp_replace(
    digest(a, b), '^(.{8})(.{4})(.{4})(.{4})(.{12})$', '\1-\2-\3-\4-\5'
);

CREATE TABLE days AS
SELECT CAST(unnest(generate_series(getvariable('first_day'), getvariable('last_day'), INTERVAL 1 DAY))
    AS DATE) AS day;

CREATE TABLE slots AS
WITH placed AS (
    SELECT * EXCLUDE (placement), unnest(string_split(placement, ' ')) AS place FROM lines
),
located AS (
    SELECT
        * EXCLUDE (place),
        regexp_extract(place, '^(.+)@(.+):(\d+)$', 1) AS account,
        regexp_extract(place, '^(.+)@(.+):(\d+)$', 2) AS region,
        CAST(regexp_extract(place, '^(.+)@(.+):(\d+)$', 3) AS INTEGER) / 100.0 AS share
    FROM placed
),
numbered AS (
    SELECT
        l.* REPLACE (CAST(l.price AS DECIMAL(18, 10)) AS price),
        row_number() OVER (ORDER BY l.line, l.account, l.region) AS slot,
        -- A month of 365.25 / 12 days.
        l.monthly * l.share / 30.4375 AS daily,
        getvariable('last_day') - l.starts_back AS starts,
        getvariable('last_day') - l.ends_back AS ends,
        a.weekend AS account_weekend,
        e.kind IS NOT NULL AS is_event
    FROM located AS l
    JOIN accounts AS a USING (account)
    LEFT JOIN events AS e
        ON e.line = l.line AND e.account = l.account AND e.region = l.region AND e.factor IS NULL
),
dated AS (
    SELECT
        *,
        greatest(0, date_diff(
            'day',
            greatest(coalesce(starts, getvariable('first_day')), getvariable('first_day')),
            least(coalesce(ends, getvariable('last_day')), getvariable('last_day'))
        ) + 1) AS active_days
    FROM numbered
)
-- The number of resources is what brings the bills to the number of rows asked for; one that stands
-- for a single thing stays one.
SELECT
    *,
    CASE WHEN seats = 1 THEN 1 ELSE greatest(
        1,
        CAST(round(
            seats * share * getvariable('rows')
            / sum(CAST(seats * share * active_days * 1000 AS BIGINT)) OVER () * 1000
        ) AS INTEGER)
    ) END AS resource_count
FROM dated;

CREATE TABLE factors AS
SELECT
    s.slot,
    e.kind,
    getvariable('last_day') - e.first_back AS first_day,
    getvariable('last_day') - e.last_back AS last_day,
    e.factor
FROM events AS e
JOIN slots AS s USING (line, account, region);

-- What each slot costs a day: growth from a fixed day, so that a shorter demo holds the same days; a
-- quiet wave over the year and a peak before Christmas; quieter weekends; and a little weather.
CREATE VIEW slot_days AS
SELECT
    s.slot,
    d.day,
    s.cover IS NOT NULL AS is_steady,
    CASE WHEN s.cover IS NOT NULL THEN s.daily ELSE
        s.daily
        * pow(1 + s.growth, (420 - date_diff('day', d.day, getvariable('last_day'))) / 365.25)
        * (1 + s.weekend * (
            0.03 * sin(2 * pi() * (dayofyear(d.day) - 60) / 365.25)
            + 0.10 * exp(-pow((dayofyear(d.day) - 335) / 16.0, 2))
        ))
        * (CASE WHEN isodow(d.day) >= 6 THEN 1 - s.weekend * (1 - s.account_weekend) ELSE 1 END)
        * (1 + (0.012 + 0.05 * s.weekend) * (
            uniform(s.slot, d.day, 1) + uniform(s.slot, d.day, 2) + uniform(s.slot, d.day, 3) - 1.5
        ))
        * (CASE WHEN s.is_event OR s.starts IS NULL THEN 1
            ELSE least(1.0, date_diff('day', s.starts, d.day) / 24.0 + 0.04) END)
        * (CASE WHEN s.is_event OR s.ends IS NULL THEN 1
            ELSE least(1.0, date_diff('day', d.day, s.ends) / 35.0 + 0.2) END)
    END AS usual,
    usual * coalesce(f.factor, 1) AS amount,
    f.kind
FROM slots AS s
JOIN days AS d ON d.day BETWEEN coalesce(s.starts, d.day) AND coalesce(s.ends, d.day)
LEFT JOIN factors AS f ON f.slot = s.slot AND d.day BETWEEN f.first_day AND f.last_day;

-- A seat is one resource's place; a resource leaves it after a while and another one takes it, so ids
-- come and go while the cost goes on.
CREATE TABLE resources AS
WITH seats AS (
    SELECT
        s.slot,
        s.line,
        s.account,
        s.region,
        s.cover,
        s.price,
        CAST(unnest(range(s.resource_count)) AS INTEGER) AS seat
    FROM slots AS s
),
weighed AS (
    SELECT
        *,
        -- Machines are about as busy as each other; buckets, tables and queues are not.
        CASE WHEN price >= 0.09 THEN 850 + CAST(300 * uniform(slot, seat, 'weight') AS BIGINT)
            ELSE 150 + CAST(2850 * pow(uniform(slot, seat, 'weight'), 3) AS BIGINT) END AS weight,
        CASE WHEN cover IS NOT NULL OR uniform(slot, seat, 'stays') < 0.6 THEN 100000
            ELSE 25 + CAST(300 * uniform(slot, seat, 'life') AS INTEGER) END AS life,
        CAST(1000 * uniform(slot, seat, 'phase') AS INTEGER) AS phase
    FROM seats
),
generations AS (
    SELECT
        *,
        weight / sum(weight) OVER (PARTITION BY slot) AS seat_share,
        unnest(range(
            (date_diff('day', DATE '2000-01-01', getvariable('first_day')) + phase) // life,
            (date_diff('day', DATE '2000-01-01', getvariable('last_day')) + phase) // life + 1
        )) AS generation
    FROM weighed
),
named AS (
    SELECT
        g.*,
        row_number() OVER (ORDER BY slot, seat, generation) AS resource,
        DATE '2000-01-01' + CAST(generation * life - phase AS INTEGER) AS from_day,
        DATE '2000-01-01' + CAST((generation + 1) * life - phase - 1 AS INTEGER) AS to_day,
        digest(line || '@' || g.account || '@' || region, concat(seat, '.', generation)) AS id,
        string_split(a.apps, '|') AS account_apps,
        a.env
    FROM generations AS g
    JOIN accounts AS a USING (account)
),
owned AS (
    SELECT
        *,
        account_apps[1 + CAST(floor(uniform(slot, seat, 'app') * len(account_apps)) AS INTEGER)] AS app
    FROM named
)
-- Tags: some resources carry none at all, and each key is forgotten now and then.
SELECT
    r.* EXCLUDE (account_apps, weight, life, phase, generation, price),
    CASE WHEN uniform(id, 'tags', 0) >= 0.11 THEN map_from_entries(list_filter([
        {'k': 'app', 'v': CASE WHEN uniform(id, 'tag', 1) >= 0.10 THEN r.app END},
        {'k': 'cost-center', 'v': CASE WHEN uniform(id, 'tag', 2) >= 0.14 THEN a.cost_center END},
        {'k': 'env', 'v': CASE WHEN uniform(id, 'tag', 3) >= 0.08 THEN r.env END},
        {'k': 'team', 'v': CASE WHEN uniform(id, 'tag', 4) >= 0.10 THEN a.team END}
    ], lambda entry: entry.v IS NOT NULL)) ELSE MAP([]::VARCHAR[], []::VARCHAR[]) END AS tags
FROM owned AS r
JOIN apps AS a ON a.app = r.app;
