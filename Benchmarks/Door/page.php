<?php
// A page that is asked for again and again: page.php PLACE KIND SECONDS PAUSES; prints what has become of it as JSON.
// PLACE is a socket or a port; KIND pdo, pdo-persistent, mysqli or mysqli-persistent; PAUSES how many in a hundred pause for 3 s.
[, $place, $kind, $seconds, $pauses] = $argv;
[$user, $password, $database] = [getenv('DB_USERNAME'), getenv('DB_PASSWORD'), getenv('DB_DATABASE')];
$isPort = is_numeric($place);
$isPersistent = str_ends_with($kind, 'persistent');
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$found = ['pages' => 0, 'errors' => 0, 'wrong' => 0, 'longest' => 0.0, 'error' => ''];
$end = microtime(true) + (float) $seconds;
while (microtime(true) < $end) {
    $zone = '+0' . random_int(1, 9) . ':00';
    $start = microtime(true);
    try {
        if (str_starts_with($kind, 'pdo')) {
            $where = $isPort ? "host=127.0.0.1;port=$place" : "unix_socket=$place";
            $options = [PDO::ATTR_PERSISTENT => $isPersistent, PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION];
            $connection = new PDO("mysql:$where;dbname=$database;charset=utf8mb4", $user, $password, $options);
            $ask = fn ($text) => $connection->query($text)->fetch(PDO::FETCH_NUM);
            $tell = fn ($text) => $connection->exec($text);
        } else {
            $host = ($isPersistent ? 'p:' : '') . ($isPort ? '127.0.0.1' : 'localhost');
            $connection = new mysqli($host, $user, $password, $database, $isPort ? (int) $place : 0, $isPort ? null : $place);
            $connection->set_charset('utf8mb4');
            $ask = fn ($text) => $connection->query($text)->fetch_row();
            $tell = fn ($text) => $connection->query($text);
        }
        $ask('SELECT 1');
        $found['longest'] = max($found['longest'], microtime(true) - $start);
        $tell("SET time_zone = '$zone'");
        $ask('SELECT COUNT(*) FROM information_schema.SCHEMATA');
        if (random_int(0, 99) < (int) $pauses) sleep(3);
        $start = microtime(true);
        $state = $ask('SELECT @@time_zone, @@character_set_client, DATABASE()');
        $found['longest'] = max($found['longest'], microtime(true) - $start);
        if ($state != [$zone, 'utf8mb4', $database]) $found['wrong']++;
        $found['pages']++;
    } catch (Throwable $problem) {
        $found['errors']++;
        $found['error'] = $problem->getMessage();
        usleep(100000);
    }
    $connection = $ask = $tell = null;
}
echo json_encode($found), "\n";
