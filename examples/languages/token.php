<?php
$context = stream_context_create(['http' => [
    'method' => 'POST',
    'timeout' => 10,
    'header' => [
        'Authorization: Bearer ' . getenv('API_KEY'),
        'Content-Type: application/json',
    ],
    'content' => json_encode(['id' => 'customer-42', 'name' => 'Acme Inc.']),
]]);
$response = json_decode(file_get_contents(getenv('TOKEN_URL'), false, $context), true);
echo $response['token'], PHP_EOL;
