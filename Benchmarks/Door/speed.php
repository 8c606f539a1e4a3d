<?php
// How many connections, or statements on an open one, a client makes in so many seconds: speed.php PLACE cycle|query SECONDS.
[, $place, $what, $seconds] = $argv;
$where = is_numeric($place) ? "host=127.0.0.1;port=$place" : "unix_socket=$place";
$open = fn () => new PDO("mysql:$where;dbname=" . getenv('DB_DATABASE'), getenv('DB_USERNAME'), getenv('DB_PASSWORD'));
$count = 0;
$connection = $open();
$end = microtime(true) + (float) $seconds;
while (microtime(true) < $end) {
    if ($what == 'cycle') {
        $connection = null;
        $connection = $open();
    }
    $connection->query('SELECT 1')->fetch();
    $count++;
}
echo round($count / (float) $seconds), "\n";
