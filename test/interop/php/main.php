<?php

// PHP's own functions in place of firebase/php-jwt, which the registries here do not have. They verify only:
// to sign with them would be to write our own library, and to prove nothing about theirs.

declare(strict_types=1);

function decodePart(string $part): string
{
    return base64_decode(strtr($part, '-_', '+/'), true);
}

function encodeInteger(string $bytes): string
{
    $bytes = ltrim($bytes, "\0");
    // A leading bit would make it negative.
    if ($bytes === '' || ord($bytes[0]) > 0x7f) {
        $bytes = "\0" . $bytes;
    }
    return "\x02" . chr(strlen($bytes)) . $bytes;
}

/** The two numbers of an ES* signature (RFC 7518 section 3.4) as OpenSSL wants them: in DER. */
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
        // As objects: an array would make [] of {}.
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
