package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log"
	"os"
	"runtime/debug"
	"strings"
)

type library interface {
	module() string
	samples() (map[string]string, error)
	sign(algorithm string, key any, claims map[string]any) (string, error)
	verify(algorithm string, key any, token string) (map[string]any, error)
}

var libraries = map[string]library{
	"golang-jwt": golangJWT{},
	"dgrijalva":  dgrijalvaJWTGo{},
}

type job struct {
	Action    string         `json:"action"`
	Algorithm string         `json:"algorithm"`
	Secret    string         `json:"secret"`
	KeyFile   string         `json:"keyFile"`
	Claims    map[string]any `json:"claims"`
	Token     string         `json:"token"`
}

type result struct {
	Token  string         `json:"token,omitempty"`
	Claims map[string]any `json:"claims,omitempty"`
	Error  string         `json:"error,omitempty"`
}

func main() {
	lib := libraries[os.Args[1]]
	var request struct {
		Jobs []job `json:"jobs"`
	}
	if err := json.NewDecoder(os.Stdin).Decode(&request); err != nil {
		log.Fatal(err)
	}
	samples, err := lib.samples()
	if err != nil {
		log.Fatal(err)
	}
	results := []result{}
	for _, job := range request.Jobs {
		results = append(results, run(lib, job))
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"library": strings.TrimPrefix(lib.module(), "github.com/") + " " + version(lib.module()),
		"samples": samples,
		"results": results,
	})
}

func run(lib library, job job) (done result) {
	var err error
	switch job.Action {
	case "parse":
		err = parseAsTheSampleDoes(job.KeyFile)
	case "sign":
		var key any
		if key, err = readKey(job); err == nil {
			done.Token, err = lib.sign(job.Algorithm, key, job.Claims)
		}
	case "verify":
		var key any
		if key, err = readKey(job); err == nil {
			done.Claims, err = lib.verify(job.Algorithm, key, job.Token)
		}
	}
	if err != nil {
		return result{Error: err.Error()}
	}
	return done
}

// The page's sample ignores both errors, and then signs with nil.
func parseAsTheSampleDoes(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(text)
	_, err = x509.ParseECPrivateKey(block.Bytes)
	return err
}

func readKey(job job) (any, error) {
	if job.Secret != "" {
		return []byte(job.Secret), nil
	}
	text, err := os.ReadFile(job.KeyFile)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	switch block.Type {
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	case "PRIVATE KEY":
		return x509.ParsePKCS8PrivateKey(block.Bytes)
	case "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	}
	return nil, errors.New(block.Type + " is not supported")
}

func version(module string) string {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return dependency.Version
		}
	}
	return "of unknown version"
}
