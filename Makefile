# `make run` starts the sidecar, `make test` passes all tests; both set up what they need first.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# libatomic1 is for the Node.js that Playwright brings along, curl for our mpv script.
TEST_PACKAGES := aria2 chromium curl e2fsprogs exfat-fuse exfatprogs ffmpeg libatomic1 mount mpv \
	mtools nginx-light ntfs-3g strace syncthing
LANGUAGES := de
BENCH_PACKAGES := nginx-light rclone aria2 curl openssl
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: run test check bench simulation nightly catalogues docs pictures bench-rows bench-sockets floods lock wheel clean

run: $(VENV)/run-ready static/vendor/ready
	@$(BIN)/python -m sidecar run

test: packages-for-tests $(VENV)/test-ready static/vendor/ready check
	$(BIN)/pytest -q -n 3 --dist loadfile --no-loadscope-reorder

check: $(VENV)/test-ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/test-ready
	@$(call install_packages,$(BENCH_PACKAGES))
	$(BIN)/python -m tests.bench $(BENCH)

# A year in the life of a thousand households; and what takes too long for every test run: each point
# at which a download can die, ten thousand steps of people and workers, fifty thousand requests, and
# 200,000 damaged inputs: 9,100 for each of the 22 readers of what comes from outside.
# What two hundred open pages cost, beside the bare library.
bench-sockets: $(VENV)/test-ready
	$(BIN)/python -m tests.bench.sockets

# What a hundred thousand downloads cost: lists, pages, the queue, a plan.
bench-rows: $(VENV)/test-ready
	$(BIN)/python -m tests.bench.rows

# What everybody else notices while somebody floods the sidecar.
floods: $(VENV)/test-ready static/vendor/ready
	$(BIN)/python -m tests.bench.floods $(FLOODS)

simulation: $(VENV)/test-ready
	$(BIN)/python -m tests.simulation --libraries 1000 --processes 2

nightly: packages-for-tests $(VENV)/test-ready
	SIDECAR_CRASH_POINTS=all SIDECAR_REQUESTS=50000 STEERING_STEPS=10000 SIDECAR_IDENTITY_TRACKS=10000 \
		$(BIN)/pytest -q -o timeout=0 \
		tests/faults/test_crash_walk.py tests/e2e/api/test_every_request.py \
		tests/services/downloads/test_interleavings.py tests/services/identity/test_many.py
	SIDECAR_INPUTS=9100 $(BIN)/pytest -q -o timeout=0 tests/attacks/test_mutated_inputs.py

# Puts the pages' new sentences into the catalogues, to be translated there.
catalogues: $(VENV)/run-ready
	mkdir -p build
	$(BIN)/pybabel -q extract -F pyproject.toml -k msg -k translatable -k sentence -k counted:1,2 -k _numbered:1,2 \
		--no-location --sort-output --omit-header -o build/messages.pot .
	for language in $(LANGUAGES); do $(BIN)/pybabel -q update -i build/messages.pot -l $$language \
		-o sidecar/web/i18n/catalogues/$$language.po --no-fuzzy-matching --ignore-obsolete --omit-header; done

# Writes the pages of docs/ that repeat what the code says: the settings and the API.
docs: $(VENV)/run-ready
	$(BIN)/python -m docs.generate

# One picture of every page for each size and theme, in build/pictures.
pictures: packages-for-tests $(VENV)/test-ready static/vendor/ready
	$(BIN)/python -m tests.screenshots build/pictures

wheel: $(VENV)/test-ready static/vendor/ready
	$(BIN)/pip -q wheel --no-deps --wheel-dir dist .

# Exact versions of everything, from an empty environment and the ranges in pyproject.toml.
lock:
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/pip -q install --upgrade pip
	build/lock/bin/pip -q install --editable '.[demo]' --group dev hatchling
	build/lock/bin/pip freeze --exclude-editable > requirements.lock
	rm -rf build/lock

clean:
	rm -rf $(VENV) node_modules static/vendor build dist

.PHONY: packages-for-tests
packages-for-tests:
	@$(call install_packages,$(TEST_PACKAGES))

$(VENV)/bin/python:
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { $(call install_packages,python3-venv); }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip -q install --upgrade pip

$(VENV)/run-ready: pyproject.toml requirements.lock | $(VENV)/bin/python
	$(BIN)/pip -q install --constraint requirements.lock --editable '.[demo]'
	@# Else the first start compiles it, and its page is seconds late.
	@$(BIN)/python -m compileall -q sidecar
	@touch $@

$(VENV)/test-ready: $(VENV)/run-ready
	$(BIN)/pip -q install --constraint requirements.lock --group dev hatchling
	@touch $@

static/vendor/ready: package.json package-lock.json static/build.mjs
	npm ci --silent --no-fund --no-audit
	node static/build.mjs
	@touch $@

# Only if one of them is not installed: then root is needed, and the network.
install_packages = ! dpkg-query -Wf '$${db:Status-Abbrev}\n' $(1) 2>&1 | grep -qv '^.i' || { \
	$(SUDO) apt-get update -qq && \
	DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends $(1) >/dev/null; }
