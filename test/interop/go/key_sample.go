package main

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"time"

	"github.com/dgrijalva/jwt-go"
)

// The page imports crypto/ecdsa without using it, which Go does not compile.
var _ ecdsa.PrivateKey

func keySample() (string, error) {
	var WORKSPACE_KEY = "<WORKSPACE_KEY>"

	// Do not expose your private key to anyone. You should only use it to sign tokens.
	var PRIVATE_KEY = []byte(`<YOUR PRIVATE KEY>`)

	block, _ := pem.Decode(PRIVATE_KEY)
	privateKey, _ := x509.ParseECPrivateKey(block.Bytes)

	claims := jwt.MapClaims{
		// Identifier of your customer (user, team, or organization).
		"id": "{CUSTOMER_ID}",
		// Human-readable customer name.
		"name": "{CUSTOMER_NAME}",
		// To prevent token from being used for too long
		"exp": time.Now().Add(time.Hour * 24).Unix(),
		"iss": WORKSPACE_KEY,
	}

	token := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	tokenString, err := token.SignedString(privateKey)

	return tokenString, err
}
