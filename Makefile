# whatsapp-node: the two commands a newcomer needs are `make run` and `make test`.
# Everything else is for working on it.

.DEFAULT_GOAL := help
SHELL         := /bin/bash
VERSION       ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GOFLAGS_BUILD := -trimpath -ldflags '-s -w -X whatsappnode/cmd/internal/bot.Version=$(VERSION)'
OPUS_TAGS     := libopus nolibopusfile netgo osusergo
TESTFLAGS     ?= -shuffle=on
TOOL          := go tool -modfile=.ci/tools/go.mod

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  \033[36m%-12s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start the bot with a simulated WhatsApp; no keys, no server, no account
	@.ci/packages run
	@go build -o bin/playground ./cmd/playground
	@exec ./bin/playground

test: ## run all tests, and install what they need
	@.ci/packages test
	go test $(TESTFLAGS) ./...
	go test $(TESTFLAGS) -tags '$(OPUS_TAGS)' ./adapters/libopus

build: ## build the production binary into bin/
	CGO_ENABLED=0 go build $(GOFLAGS_BUILD) -o bin/whatsapp-node ./cmd/whatsapp-node

build-opus: ## the same with the Opus encoder linked in, static too: the binary of the image
	@.ci/packages test
	CGO_ENABLED=1 go build -trimpath -tags '$(OPUS_TAGS)' -o bin/whatsapp-node-opus \
		-ldflags '-s -w -linkmode external -extldflags -static -X whatsappnode/cmd/internal/bot.Version=$(VERSION)' ./cmd/whatsapp-node

check: fmt-check vet lint tidy-check check-deployments ## everything CI runs
	$(MAKE) test TESTFLAGS='-race -shuffle=on -count=1'
	go test -count=1 -run '^TestWaitingTakesLittleStack$$' ./app ./adapters/decorate # without -race, whose frames are larger
	$(MAKE) kill-test KILL_FLAGS='-messages 300 -users 40 -kills 4'
	$(MAKE) chaos CHAOS_TIME=15s CHAOS_SEED=1

check-deployments: ## check the Dockerfile, Cloud Run, Terraform, Compose, Kubernetes, systemd and the pipelines, offline
	@.ci/packages deployments
	cd test/deployments && go vet ./... && go test -count=1 -shuffle=on ./...

REGION      ?= us-central1
SERVICE     ?= whatsapp-node
WORKER_POOL ?=
rollback: ## on Cloud Run, go back to the revision before (REGION, SERVICE, WORKER_POOL)
	deployments/cloudrun/rollback.sh $(REGION) $(SERVICE) $(WORKER_POOL)

fmt: ## format the code
	$(TOOL) gofumpt -l -w .

fmt-check:
	@out="$$(gofmt -l . ; $(TOOL) gofumpt -l .)"; [ -z "$$out" ] || { echo "not formatted (make fmt):"; echo "$$out"; exit 1; }

vet:
	go vet ./...

lint: ## staticcheck and gosec; an exception of gosec stands with its reason at its line
	$(TOOL) staticcheck ./...
	$(TOOL) gosec -quiet -exclude-dir=test ./...
	cd test/deployments && go tool -modfile=../../.ci/tools/go.mod staticcheck ./...

tidy-check:
	go mod tidy -diff
	go mod verify
	cd test/deployments && go mod tidy -diff

KILL_FLAGS ?= -messages 1000 -users 100 -kills 10
kill-test: build ## 1,000 messages with kill -9 of the binary under way; prints the counts
	go run ./test/chaos/killtest -binary bin/whatsapp-node $(KILL_FLAGS)

CHAOS_TIME ?= 25s
CHAOS_SEED ?= $(shell date +%N | cut -c1-6)
chaos: build ## several processes on a real Redis, alone, with a replica and as a cluster, broken in every way
	@.ci/packages test
	go build -o bin/fleet ./test/chaos/fleet
	./bin/fleet -binary bin/whatsapp-node -duration $(CHAOS_TIME) -seed $(CHAOS_SEED)
	./bin/fleet -binary bin/whatsapp-node -duration $(CHAOS_TIME) -seed $(CHAOS_SEED) -replica
	./bin/fleet -binary bin/whatsapp-node -duration $(CHAOS_TIME) -seed $(CHAOS_SEED) -cluster

HOSTILE_FLAGS ?=
hostile: build ## ordinary people and a crowd of attackers on one bot (7 minutes); prints how long people wait
	go run ./test/chaos/hostile -binary bin/whatsapp-node $(HOSTILE_FLAGS)

bench: build ## measure binary size, start, memory and acknowledgement latency
	go run ./test/bench/embedded -binary bin/whatsapp-node

bench-answer: build ## measure the time to an answer against its vendors alone, and draw docs/benchmarks (5 minutes, quiet machine)
	go run ./test/bench/answer -binary bin/whatsapp-node -json docs/benchmarks/answer.json -plots docs/benchmarks

bench-slow: build ## measure that slow clients and 10,000 idle connections keep nobody from being served
	@command -v slowhttptest >/dev/null || { echo "slowhttptest is missing: sudo apt-get install slowhttptest"; exit 1; }
	go run ./test/bench/slow -binary bin/whatsapp-node

bench-redis: build ## measure the acknowledgement path on Redis against a bare handler
	@.ci/packages test
	go run ./test/bench/redis -binary bin/whatsapp-node

fuzz: ## fuzz each parser for FUZZTIME (default 30s)
	@for t in $$(grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u); do \
		for f in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]+' $$t/*_test.go | sed 's/func //'); do \
			echo "== $$t $$f"; go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(or $(FUZZTIME),30s) $$t || exit 1; \
		done; done

cover: ## test coverage by package
	go test -coverprofile=bin/cover.out -coverpkg=./domain,./ports,./app,./adapters/...,./cmd/... ./... >/dev/null && go tool cover -func=bin/cover.out | tail -1

image: ## build the container image
	docker build --build-arg VERSION=$(VERSION) -t whatsapp-node:$(VERSION) .

clean: ## remove what was built
	rm -rf bin

.PHONY: help run test build build-opus check check-deployments rollback fmt fmt-check vet lint tidy-check kill-test chaos hostile bench bench-answer bench-redis bench-slow fuzz cover image clean
