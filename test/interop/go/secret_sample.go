package main

import (
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func secretSample() (string, error) {
	var WORKSPACE_KEY = "<WORKSPACE_KEY>"
	var WORKSPACE_SECRET = "<WORKSPACE_SECRET>"

	var SigningKey = []byte(WORKSPACE_SECRET)

	claims := jwt.MapClaims{
		// Identifier of your customer (user, team, or organization).
		"id": "{CUSTOMER_ID}",
		// Human-readable customer name.
		"name": "{CUSTOMER_NAME}",
		// To prevent token from being used for too long
		"exp": time.Now().Add(time.Hour * 24).Unix(),
		"iss": WORKSPACE_KEY,
	}

	token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
	tokenString, err := token.SignedString(SigningKey)

	return tokenString, err
}
