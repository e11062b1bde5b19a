import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.SignatureAlgorithm;
import javax.crypto.spec.SecretKeySpec;
import java.time.temporal.ChronoUnit;
import java.util.Date;

final class SecretSample {
    static String sign() {
        String workspaceKey = "<WORKSPACE_KEY>";
        String workspaceSecret = "<WORKSPACE_SECRET>";

        String jwtToken = Jwts.builder()
            .claim("id", "{CUSTOMER_ID}") // Identifier of user or organization.
            .claim("name", "{CUSTOMER_NAME}") // Human-readable name (it will simplify troubleshooting)
            // .claim("fields", <user fields value>) (optional) Any user fields you want to attach to your user.
            .setExpiration(Date.from(new Date().toInstant().plus(14400, ChronoUnit.SECONDS))) // To prevent token from being used for too long
            .setIssuer(workspaceKey)
            .signWith(new SecretKeySpec(workspaceSecret.getBytes(), SignatureAlgorithm.HS256.getJcaName()), SignatureAlgorithm.HS256)
            .setHeaderParam("typ", "JWT")
            .compact();

        return jwtToken;
    }
}
