package main

import "github.com/golang-jwt/jwt/v5"

type golangJWT struct{}

func (golangJWT) module() string { return "github.com/golang-jwt/jwt/v5" }

func (golangJWT) samples() (map[string]string, error) {
	token, err := secretSample()
	return map[string]string{"secret": token}, err
}

func (golangJWT) sign(algorithm string, key any, claims map[string]any) (string, error) {
	return jwt.NewWithClaims(jwt.GetSigningMethod(algorithm), jwt.MapClaims(claims)).SignedString(key)
}

func (golangJWT) verify(algorithm string, key any, token string) (map[string]any, error) {
	claims := jwt.MapClaims{}
	find := func(*jwt.Token) (any, error) { return key, nil }
	_, err := jwt.ParseWithClaims(token, claims, find, jwt.WithValidMethods([]string{algorithm}))
	return claims, err
}
