package main

import "github.com/dgrijalva/jwt-go"

type dgrijalvaJWTGo struct{}

func (dgrijalvaJWTGo) module() string { return "github.com/dgrijalva/jwt-go" }

func (dgrijalvaJWTGo) samples() (map[string]string, error) {
	token, err := keySample()
	return map[string]string{"key": token}, err
}

func (dgrijalvaJWTGo) sign(algorithm string, key any, claims map[string]any) (string, error) {
	return jwt.NewWithClaims(jwt.GetSigningMethod(algorithm), jwt.MapClaims(claims)).SignedString(key)
}

func (dgrijalvaJWTGo) verify(algorithm string, key any, token string) (map[string]any, error) {
	claims := jwt.MapClaims{}
	find := func(*jwt.Token) (any, error) { return key, nil }
	parser := jwt.Parser{ValidMethods: []string{algorithm}}
	_, err := parser.ParseWithClaims(token, claims, find)
	return claims, err
}
