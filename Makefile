# The verbs of this project; each is a script that a person can run. CI runs the same ones.
.PHONY: help demo demo-dapr run test test-compose test-dapr test-hub test-workflows clean host images check fuzz reproducible tool bench bench-app bench-order bench-deploy bench-image bench-roads bench-cluster bench-compile soak

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: ## everything, on a fresh machine: ends with a reachable service
	@scripts/demo

demo-dapr: ## on the demo's cluster: page, orders, pricing and events behind Dapr's sidecars (DAPR_FORM=injected), see docs/dapr.md
	@scripts/demo-dapr

run: ## the quick look: the service under wasmedge beside MariaDB, without a cluster; Ctrl-C ends it
	@scripts/run

test: ## everything that proves it
	@scripts/test

test-compose: ## of these the road of Docker Compose alone, on Debian 13's engine in a container (a few minutes)
	@scripts/test-compose

test-dapr: ## the demo with Dapr in both forms, and what happens to it when its parts go (half an hour)
	@scripts/test-dapr

test-workflows: ## every step of .github/workflows in a container with a hosted runner's tools, as its user (half an hour)
	@scripts/test-workflows

test-hub: images ## the demo with Docker Hub's names, on a host in a container with a Docker engine of its own (DOCKER_SUITE=sid, …)
	@scripts/test-hub

clean: ## the clusters and their containers gone; images and caches stay
	@scripts/clean

host: ## a C compiler, Docker and kind, where they are missing
	@scripts/host

images: host ## the builder, node and MariaDB images, where they are missing or out of date
	@scripts/images

check: ## format, lints and tests that need no container
	@scripts/check

fuzz: ## ten minutes of random input for every parser, guided by what it reaches (FUZZ_SECONDS=60 for less)
	@scripts/fuzz

reproducible: ## the service built twice, in two folders: module, image and what is attached have the same digests
	@scripts/reproducible

tool: ## target/release/deploy-tool
	@CARGO_TARGET_DIR=$${CARGO_TARGET_DIR:-target} cargo build --release --locked --package deploy-tool

bench: host ## Wasm beside its native build as pods: size, start, memory, load, rollouts; docs/bench.html (half an hour)
	@scripts/bench

bench-order: ## instructions to read and to write one order, by callgrind
	@scripts/bench-order

bench-app: images ## the service as Wasm and native, side by side: requests per second and latency, as ratios
	@scripts/bench-app

bench-compile: images ## the levels of compiling ahead of time: what each takes to compile, and what a request takes after it
	@scripts/bench-compile

bench-deploy: ## deploy-tool, kubectl and Helm with the same manifests, side by side: time, processor, memory, as ratios
	@scripts/bench-deploy

bench-image: host ## builds and pushes of deploy-tool, docker and crane to the same registry, side by side: time, memory, as ratios
	@scripts/bench-image

bench-roads: host ## the service by wasmedge, crun, podman and Compose, side by side: first answer, memory, requests per second
	@scripts/bench-roads

bench-cluster: ## thousands of pods on a thousand nodes that kwok pretends: deploy, scale, status; time, memory, requests
	@scripts/bench-cluster

soak: ## a hundred deployments through a proxy that fails at random, which must end converged (SOAK_ROUNDS=12 for less)
	@scripts/soak
