<?php

// Verifies with PHP's own functions, because firebase/php-jwt is not in the registries used here. It does not sign: that
// would prove nothing about firebase/php-jwt.

declare(strict_types=1);

function decodePart(string $part): string
{
    return base64_decode(strtr($part, '-_', '+/'), true);
}

function encodeInteger(string $bytes): string
{
    $bytes = ltrim($bytes, "\0");
    // With its first bit set, the integer would be negative.
    if ($bytes === '' || ord($bytes[0]) > 0x7f) {
        $bytes = "\0" . $bytes;
    }
    return "\x02" . chr(strlen($bytes)) . $bytes;
}

/** Converts an ES* signature (RFC 7518 section 3.4) to DER, which OpenSSL requires. */
function toDer(string $signature): string
{
    $size = intdiv(strlen($signature), 2);
    $numbers = encodeInteger(substr($signature, 0, $size)) . encodeInteger(substr($signature, $size));
    $length = strlen($numbers);
    return "\x30" . ($length > 0x7f ? "\x81" : '') . chr($length) . $numbers;
}

function isGenuine(object $job, string $content, string $signature): bool
{
    $family = substr($job->algorithm, 0, 2);
    $hash = 'sha' . substr($job->algorithm, 2);
    if ($family === 'HS') {
        return hash_equals(hash_hmac($hash, $content, $job->secret, true), $signature);
    }
    $der = $family === 'ES' ? toDer($signature) : $signature;
    return openssl_verify($content, $der, file_get_contents($job->keyFile), $hash) === 1;
}

function run(object $job): array
{
    try {
        [$header, $payload, $signature] = explode('.', $job->token);
        if (json_decode(decodePart($header), flags: JSON_THROW_ON_ERROR)->alg !== $job->algorithm) {
            return ['error' => 'another algorithm'];
        }
        if (!isGenuine($job, "$header.$payload", decodePart($signature))) {
            return ['error' => 'signature invalid'];
        }
        // As objects, because an empty array would become [] instead of {}.
        return ['claims' => json_decode(decodePart($payload), flags: JSON_THROW_ON_ERROR)];
    } catch (Throwable $error) {
        return ['error' => $error->getMessage()];
    }
}

$request = json_decode(stream_get_contents(STDIN), flags: JSON_THROW_ON_ERROR);
echo json_encode([
    'library' => 'PHP ' . PHP_VERSION . ': openssl_verify, hash_hmac',
    'samples' => (object) [],
    'results' => array_map(run(...), $request->jobs),
], JSON_THROW_ON_ERROR);
