import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.SignatureAlgorithm;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Date;

final class KeySample {
    static String sign() throws Exception {
        String workspaceKey = "<WORKSPACE_KEY>";
        // Do not expose your private key to anyone. You should only use it to sign tokens.
        String privateKeyPEM = "<YOUR PRIVATE KEY>";

        String privateKeyContent = privateKeyPEM
            .replace("-----BEGIN PRIVATE KEY-----", "")
            .replace("-----END PRIVATE KEY-----", "")
            .replaceAll("\\s", "");
        byte[] keyBytes = Base64.getDecoder().decode(privateKeyContent);
        PKCS8EncodedKeySpec keySpec = new PKCS8EncodedKeySpec(keyBytes);
        KeyFactory keyFactory = KeyFactory.getInstance("EC");
        PrivateKey privateKey = keyFactory.generatePrivate(keySpec);

        String jwtToken = Jwts.builder()
            .claim("id", "{CUSTOMER_ID}") // Identifier of user or organization.
            .claim("name", "{CUSTOMER_NAME}") // Human-readable name (it will simplify troubleshooting)
            // .claim("fields", <user fields value>) (optional) Any user fields you want to attach to your user.
            .setExpiration(Date.from(new Date().toInstant().plus(14400, ChronoUnit.SECONDS))) // To prevent token from being used for too long
            .setIssuer(workspaceKey)
            .signWith(privateKey, SignatureAlgorithm.ES256)
            .setHeaderParam("typ", "JWT")
            .compact();

        return jwtToken;
    }
}
