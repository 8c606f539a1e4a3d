<?php
// The example's GET /meters in PHP, for comparison: WEB_PERSISTENT=1 keeps the connection between requests.
try {
    $pdo = new PDO(getenv('WEB_DSN'), getenv('DB_USERNAME'), getenv('DB_PASSWORD'), [
        PDO::ATTR_PERSISTENT => getenv('WEB_PERSISTENT') === '1',
        PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
        PDO::ATTR_EMULATE_PREPARES => false,
    ]);
    $rows = $pdo->query(
        'SELECT m.mpan, m.meter_type AS type, s.name AS site FROM meters m JOIN sites s ON s.id = m.site_id
         WHERE m.is_active ORDER BY m.mpan LIMIT 1000'
    )->fetchAll(PDO::FETCH_ASSOC);
} catch (PDOException $error) {
    // As most pages do: whatever is wrong with the database is a 500.
    http_response_code(500);
    exit;
}
header('Content-Type: application/json; charset=utf-8');
echo json_encode($rows);
