import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.jsonwebtoken.JwtBuilder;
import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.SignatureAlgorithm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import javax.crypto.spec.SecretKeySpec;

final class Main {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] arguments) throws Exception {
        List<Map<String, ?>> results = new ArrayList<>();
        for (JsonNode job : JSON.readTree(System.in).get("jobs")) {
            results.add(run(job));
        }
        JSON.writeValue(System.out, Map.of(
            "library", "jjwt " + Jwts.class.getPackage().getImplementationVersion(),
            "samples", Map.of("secret", SecretSample.sign(), "key", KeySample.sign()),
            "results", results));
    }

    private static Map<String, ?> run(JsonNode job) {
        try {
            SignatureAlgorithm algorithm = SignatureAlgorithm.forName(job.get("algorithm").asText());
            return job.get("action").asText().equals("sign")
                ? Map.of("token", sign(job, algorithm))
                : Map.of("claims", verify(job, algorithm));
        } catch (Exception error) {
            return Map.of("error", error.toString());
        }
    }

    private static String sign(JsonNode job, SignatureAlgorithm algorithm) throws Exception {
        JwtBuilder builder = Jwts.builder();
        Map<?, ?> claims = JSON.convertValue(job.get("claims"), Map.class);
        claims.forEach((name, value) -> builder.claim((String) name, value));
        return builder.signWith(readKey(job, algorithm), algorithm).setHeaderParam("typ", "JWT").compact();
    }

    private static Map<String, Object> verify(JsonNode job, SignatureAlgorithm algorithm) throws Exception {
        var token = Jwts.parserBuilder()
            .setSigningKey(readKey(job, algorithm))
            .build()
            .parseClaimsJws(job.get("token").asText());
        if (!token.getHeader().getAlgorithm().equals(algorithm.getValue())) {
            throw new IllegalArgumentException("another algorithm");
        }
        return token.getBody();
    }

    private static Key readKey(JsonNode job, SignatureAlgorithm algorithm) throws Exception {
        if (job.has("secret")) {
            return new SecretKeySpec(job.get("secret").asText().getBytes(), algorithm.getJcaName());
        }
        String pem = Files.readString(Path.of(job.get("keyFile").asText()));
        byte[] bytes = Base64.getDecoder().decode(pem.replaceAll("-----[^-]+-----|\\s", ""));
        KeyFactory factory = KeyFactory.getInstance(algorithm.isEllipticCurve() ? "EC" : "RSA");
        return pem.contains("PUBLIC")
            ? factory.generatePublic(new X509EncodedKeySpec(bytes))
            : factory.generatePrivate(new PKCS8EncodedKeySpec(bytes));
    }
}
