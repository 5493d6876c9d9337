# `make run` starts the sidecar, `make test` passes all tests; both set up what they need first.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# libatomic1 is for the Node.js that Playwright brings along, curl for our mpv script.
TEST_PACKAGES := aria2 caddy chromium-headless-shell curl e2fsprogs exfat-fuse exfatprogs ffmpeg \
	libatomic1 mount mpv mtools nginx-light ntfs-3g postgresql redis-tools \
	strace syncthing
LANGUAGES := de
UV := uv==0.13.8
COMPILE = build/lock/bin/uv pip compile -q $(UPGRADE) --universal --python-version 3.11 \
	--generate-hashes --no-annotate --no-header pyproject.toml
CLUSTER_PACKAGES := iproute2 postgresql redis-tools util-linux
BENCH_PACKAGES := nginx-light rclone aria2 curl openssl
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: run test check bench simulation nightly catalogues docs pictures bench-rows bench-upgrades bench-sockets bench-standby bench-cluster cluster-check firefox background-fetch floods lies image-check deb deb-check lock sbom audit wheel dist clean

run: $(VENV)/run-ready static/vendor/ready
	@$(BIN)/python -m sidecar run

# What takes one processor for a minute goes on beside something else: the set-up by three ways, the
# types beside what is left of it and the tests. The tests are compiled once, not by each process.
test: $(VENV)/bin/python
	@mkdir -p build; \
	$(MAKE) --no-print-directory packages-for-tests & packages=$$!; \
	{ $(MAKE) --no-print-directory -j2 $(VENV)/test-ready node_modules/test-ready && \
	$(MAKE) --no-print-directory static/vendor/ready lint; } || { wait $$packages; exit 1; }; \
	$(MAKE) --no-print-directory types >build/types.out 2>&1 & types=$$!; \
	$(MAKE) --no-print-directory tests-compiled; \
	wait $$packages && \
	$(BIN)/pytest -q -n 4 --dist loadfile --no-loadscope-reorder; tests=$$?; \
	wait $$types; types=$$?; cat build/types.out; exit $$((tests | types))

.PHONY: tests-compiled
tests-compiled: $(VENV)/test-ready
	@# What cannot be collected is told by the tests themselves.
	@[ -d tests/__pycache__ ] || PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -q --collect-only >/dev/null || true

check: lint types

.PHONY: lint types
lint: $(VENV)/test-ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/test-ready node_modules/test-ready
	$(BIN)/mypy
	$(BIN)/lint-imports
	node_modules/.bin/tsc -p static
	node_modules/.bin/tsc -p static/tsconfig.worker.json

bench: $(VENV)/test-ready
	@$(call install_packages,$(BENCH_PACKAGES))
	$(BIN)/python -m tests.bench $(BENCH)

# The main journeys in Debian's Firefox.
firefox: $(VENV)/test-ready node_modules/test-ready static/vendor/ready tests/firefox/node_modules/ready
	@$(call install_packages,ffmpeg firefox-esr)
	$(BIN)/pytest -q tests/firefox/journeys.py

# What a browser keeps goes on with no page open: in Debian's whole Chromium, the other one never begins it.
background-fetch: $(VENV)/test-ready static/vendor/ready
	@$(call install_packages,chromium)
	$(BIN)/pytest -q tests/browser/background_fetch.py

# What two hundred open pages cost, beside the bare library.
bench-sockets: $(VENV)/test-ready
	$(BIN)/python -m tests.bench.sockets

# What a hundred thousand downloads cost: lists, pages, the queue, a plan.
bench-rows: $(VENV)/test-ready
	$(BIN)/python -m tests.bench.rows

# How long an update of a hundred thousand downloads takes, from each version of the tables.
bench-upgrades: $(VENV)/test-ready
	$(BIN)/python -m tests.bench.rows.upgrades $(UPGRADES)

# How soon a sidecar that stands by on the same PostgreSQL goes on where the other one ended.
bench-standby: $(VENV)/test-ready
	$(BIN)/python -m tests.bench.standby

# One, two and four processes that work on one PostgreSQL, beside one that watches and one with pages.
bench-cluster: $(VENV)/test-ready static/vendor/ready
	@$(call install_packages,nginx-light postgresql redis-tools)
	$(BIN)/python -m tests.bench.cluster $(BENCH)

# Two hosts in networks of their own; the line between them is cut for a minute.
cluster-check: $(VENV)/test-ready
	@$(call install_packages,$(CLUSTER_PACKAGES))
	$(SUDO) unshare --net $(BIN)/python -m tests.bench.cluster.two_hosts $(CUT)

# What everybody else notices while somebody floods the sidecar.
floods: $(VENV)/test-ready static/vendor/ready
	$(BIN)/python -m tests.bench.floods $(FLOODS)

# How much memory a Jellyfin takes that says anything at all.
lies: $(VENV)/test-ready static/vendor/ready
	$(BIN)/python -m tests.bench.lying $(LIES)

# A year in the life of a thousand households.
simulation: $(VENV)/test-ready
	$(BIN)/python -m tests.simulation --libraries 1000 --processes 2

# What takes too long for every test run: each point at which a download, a group of them or a
# playlist can die, forty households through a year, ten thousand steps of people and workers, fifty
# thousand requests, ten thousand tracks under new ids, every page in both themes and every control
# of it, each on both a phone and a desktop, 200,000 damaged inputs (9,100 for each of the 22 readers
# of what comes from outside), and ten times as many drawn examples. All drawn anew.
nightly: export SIDECAR_SEED ?= $(shell od -An -N4 -tu4 /dev/urandom | tr -d ' ')
nightly: packages-for-tests $(VENV)/test-ready static/vendor/ready
	SIDECAR_CRASH_POINTS=all SIDECAR_REQUESTS=50000 STEERING_STEPS=10000 SIDECAR_IDENTITY_TRACKS=10000 \
		SIDECAR_YEARS=40 $(BIN)/pytest -q -o timeout=0 \
		tests/faults/test_crash_*.py tests/simulation tests/e2e/api/test_every_request.py \
		tests/services/downloads/test_interleavings.py tests/services/identity/test_many.py
	SIDECAR_CONTROLS=all SIDECAR_LOOKS=all $(BIN)/pytest -q -o timeout=0 \
		tests/e2e/browser/test_controls.py tests/e2e/browser/test_every_page.py
	SIDECAR_INPUTS=9100 $(BIN)/pytest -q -o timeout=0 tests/attacks/test_mutated_inputs.py
	SIDECAR_EXAMPLES=400 $(BIN)/pytest -q -o timeout=0 -m hypothesis
	SIDECAR_LONG_FILM=1 $(BIN)/pytest -q tests/e2e/devices/test_films.py

# Puts the pages' new sentences into the catalogues, to be translated there.
catalogues: $(VENV)/test-ready
	mkdir -p build
	$(BIN)/pybabel -q extract -F pyproject.toml -k msg -k translatable -k sentence -k counted:1,2 -k _numbered:1,2 \
		--no-location --sort-output --omit-header -o build/messages.pot .
	for language in $(LANGUAGES); do $(BIN)/pybabel -q update -i build/messages.pot -l $$language \
		-o sidecar/web/i18n/catalogues/$$language.po --no-fuzzy-matching --ignore-obsolete --omit-header; done

# Writes the pages of docs/ that repeat what the code says: the settings and the API.
docs: $(VENV)/test-ready
	$(BIN)/python -m docs.generate

# One picture of every page for each size and theme, in build/pictures.
pictures: packages-for-tests $(VENV)/test-ready static/vendor/ready
	$(BIN)/python -m tests.browser.screenshots build/pictures --readme docs/pictures

wheel: $(VENV)/test-ready static/vendor/ready
	$(BIN)/pip -q wheel --no-deps --no-build-isolation --wheel-dir dist .

# A wheel and a source archive; who installs either needs no Node.
dist: $(VENV)/test-ready static/vendor/ready
	$(BIN)/python -m hatchling build -t sdist -t wheel -d dist

# The steps of the image in an empty Debian, without an engine; then it is started and looked at.
image-check: $(VENV)/test-ready
	@$(call install_packages,debootstrap)
	$(BIN)/python -m tests.packaging.image

# A Debian package for the release and the processor of this machine, in dist/.
deb: wheel
	@$(call install_packages,debhelper python3)
	packaging/debian/build "$$($(BIN)/python -c 'import sidecar; print(sidecar.__version__)')" $(BIN)/pip

# It is installed, started, upgraded, removed and purged in an empty Debian.
deb-check: deb
	@$(call install_packages,debootstrap)
	$(BIN)/python -m tests.packaging.deb

# Exact versions of everything and the hashes of their files, from the ranges in pyproject.toml, for
# every platform. `make lock UPGRADE=` adds what is new to pyproject.toml and leaves the rest alone.
UPGRADE ?= --upgrade
lock:
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/pip -q install $(UV)
	$(COMPILE) --extra demo --extra notifications --extra postgresql --extra redis --group build -o requirements.lock
	$(COMPILE) --extra demo --extra notifications --extra postgresql --extra redis --group build --group dev -c requirements.lock -o requirements-dev.lock
	$(COMPILE) --group supply -o requirements-supply.lock
	rm -rf build/lock

# What the sidecar is made of (CycloneDX): build/sbom/python.json, and browser.json for its pages.
sbom: $(VENV)/supply-ready
	mkdir -p build/sbom
	$(VENV)/supply/bin/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application \
		--output-reproducible --of JSON -o build/sbom/python.json requirements.lock
	npm sbom --package-lock-only --sbom-format cyclonedx > build/sbom/browser.json
	@echo "build/sbom/python.json, build/sbom/browser.json"

# Whether anything is known against what we use; says so if nobody could be asked.
audit: $(VENV)/supply-ready
	@$(VENV)/supply/bin/python -m tests.packaging.audit $(VENV)/supply/bin/pip-audit \
		requirements.lock requirements-dev.lock requirements-supply.lock

clean:
	rm -rf $(VENV) node_modules tests/firefox/node_modules static/vendor build dist

.PHONY: packages-for-tests
packages-for-tests:
	@# Tests start a PostgreSQL of their own; the package is to start none.
	@test -e /etc/postgresql-common/createcluster.conf || { \
		$(SUDO) mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' | \
		$(SUDO) tee /etc/postgresql-common/createcluster.conf >/dev/null; }
	@$(call install_packages,$(TEST_PACKAGES))

$(VENV)/bin/python:
	@echo "Once: what the sidecar needs is installed into this folder, which takes about half a minute ..."
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { $(call install_packages,python3-venv); }
	$(PYTHON) -m venv $(VENV)

# Nothing is installed whose hash is not in a lock; the sidecar itself comes from here, with what
# builds it from the lock as well. Its modules are compiled: else the first start does, and its page
# is seconds late.
install_locked = $(BIN)/pip -q install $(2) --require-hashes -r $(1) && \
	$(BIN)/pip -q install --no-deps --no-build-isolation --editable . && \
	$(BIN)/python -m compileall -q sidecar && \
	$(BIN)/python -m sidecar run --help > /dev/null

$(VENV)/run-ready: pyproject.toml requirements.lock | $(VENV)/bin/python
	@$(call install_locked,requirements.lock)
	@touch $@

# The second lock has all of the first. Of the libraries the tests compile what they import, which is
# the smaller part.
$(VENV)/test-ready: pyproject.toml requirements-dev.lock | $(VENV)/bin/python
	@$(call install_locked,requirements-dev.lock,--no-compile)
	@touch $(VENV)/run-ready $@

# Beside our own: its tools must not decide which versions we use.
$(VENV)/supply-ready: requirements-supply.lock $(VENV)/bin/python
	$(PYTHON) -m venv $(VENV)/supply
	$(VENV)/supply/bin/pip -q install --require-hashes -r requirements-supply.lock
	@touch $@

node_modules/ready: package.json package-lock.json
	npm ci --omit=dev --silent --no-fund --no-audit
	@touch $@

# With what checks them. It is added to what is there: the pages' files may be made from that meanwhile.
# npm removes a mark that is no package.
node_modules/test-ready: node_modules/ready
	npm install --no-save --silent --no-fund --no-audit
	@touch node_modules/ready $@

tests/firefox/node_modules/ready: tests/firefox/package.json tests/firefox/package-lock.json
	npm ci --prefix tests/firefox --silent --no-fund --no-audit
	@touch $@

static/vendor/ready: package-lock.json static/build.mjs $(shell find static/css static/js -name '*.css' -o -name '*.js') | node_modules/ready
	node static/build.mjs

# Only if one of them is not installed: then root is needed, and the network.
install_packages = ! dpkg-query -Wf '$${db:Status-Abbrev}\n' $(1) 2>&1 | grep -qv '^.i' || { \
	$(SUDO) apt-get update -qq && \
	DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends $(1) >/dev/null; }
