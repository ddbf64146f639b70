# Every target works on a fresh Debian or Ubuntu with Rust, gcc and make: what else a target needs
# it installs with apt-get (through sudo when you are not root). See README.md for macOS.

CARGO ?= cargo
DEMO_CAPTURE ?= captures/obs_publish_nginx.pcap
# Seconds that `fuzz-smoke` gives each target.
FUZZ_SECONDS ?= 60
# Size of the capture that `bench` makes, in megabytes.
BENCH_MB ?= 800

# Real programs that the tests run or compare with. The tests start their own nginx.
TEST_TOOLS = libpcap-dev tshark tcpdump ffmpeg nginx libnginx-mod-rtmp rtmpdump zstd iproute2 procps python3 chromium tmux \
	gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good \
	gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly
FUZZ_TARGETS = $(basename $(notdir $(wildcard tests/fuzz/fuzz_targets/*.rs)))

.PHONY: help build demo pictures test test-tools bench fuzz-smoke clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

# Without libpcap everything but live capture works, so its absence is no reason to fail.
build: ## Build target/release/rtmpscope
	@if .ci/install libpcap-dev; then \
		$(CARGO) build --locked --release; \
	else \
		echo "building without live capture, which needs libpcap" >&2; \
		$(CARGO) build --locked --release --no-default-features --features cli,tui; \
	fi

# The report exits with 1 when it found something, which is no failure of the demonstration.
demo: build ## Build, then open a bundled capture (without a terminal: print what it holds)
	@if [ -t 0 ] && [ -t 1 ]; then \
		target/release/rtmpscope view $(DEMO_CAPTURE); \
	else \
		echo '$$ rtmpscope dump --summary --format text $(DEMO_CAPTURE)'; \
		target/release/rtmpscope dump --summary --format text $(DEMO_CAPTURE) && \
		echo && echo '$$ rtmpscope report $(DEMO_CAPTURE)' && \
		{ target/release/rtmpscope report --format text $(DEMO_CAPTURE) || [ $$? -eq 1 ]; }; \
	fi

pictures: build ## Take the pictures of the README from the program (docs/pictures)
	@.ci/install tmux python3
	python3 tests/pictures/pictures.py target/release/rtmpscope docs/pictures

test-tools: ## Install what the tests need
	@.ci/install $(TEST_TOOLS)
	@.ci/install chromium || echo "without chromium the page of \`report\` is not tested" >&2

# The feature sets that leave things out are only type-checked: all their code is tested above.
test: test-tools ## Install what the tests need, then run all tests
	$(CARGO) check --locked --lib --no-default-features
	$(CARGO) check --locked --no-default-features --features cli,tui
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --all-features
	$(CARGO) test --locked --all-features

bench: ## Measure against capinfos, tcpdump and tshark (BENCH_MB=800)
	@.ci/install libpcap-dev tshark tcpdump tmux
	$(CARGO) build --locked --release
	$(CARGO) bench --locked --bench passive -- --megabytes $(BENCH_MB)

# libFuzzer instruments with flags that only a nightly compiler takes; a stable one takes them too
# when it is told to behave like one. Leaks are not looked for: the reader's thread, which nobody
# waits for, is still ending when libFuzzer counts.
fuzz-smoke: ## Fuzz each target for FUZZ_SECONDS seconds (FUZZ_TARGETS="amf0 tcp")
	@.ci/install g++
	@$(CARGO) fuzz --version >/dev/null 2>&1 || $(CARGO) install --locked cargo-fuzz
	@if $(CARGO) +nightly --version >/dev/null 2>&1; then \
		nightly=+nightly; \
	else \
		export RUSTC_BOOTSTRAP=1; \
	fi; \
	failed=""; \
	for target in $(FUZZ_TARGETS); do \
		echo "== $$target for $(FUZZ_SECONDS) s"; \
		mkdir -p tests/fuzz/corpus/$$target; \
		$(CARGO) $$nightly fuzz run --fuzz-dir tests/fuzz $$target \
			tests/fuzz/corpus/$$target tests/fuzz/seeds/$$target -- \
			-max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=1024 -timeout=10 \
			-detect_leaks=0 -print_funcs=0 -print_final_stats=1 -verbosity=0 \
			|| failed="$$failed $$target"; \
	done; \
	if [ -n "$$failed" ]; then echo "failed:$$failed" >&2; exit 1; fi

clean: ## Remove what was built
	$(CARGO) clean
	rm -rf tests/fuzz/target tests/fuzz/corpus tests/fuzz/artifacts
