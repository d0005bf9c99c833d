# Qijin in a container: built in one stage, run as nobody in a small other one.
#
#   docker build -t qijin --build-arg QIJIN_COMMIT=$(git rev-parse --short=12 HEAD) .
#   docker run -d --name qijin --read-only --tmpfs /tmp --cap-drop ALL -e TELOXIDE_TOKEN=… -v qijin:/var/lib/qijin qijin
#
# Telegram needs no port. The pages are open to the container itself only: without TLS nobody else may see them. With a
# proxy with TLS in front, add  -e QIJIN_LISTEN=0.0.0.0:8080 -e QIJIN_BEHIND_PROXY=true -p 127.0.0.1:8080:8080 .
# Everything that must be kept is in /var/lib/qijin. deploy/compose.yaml runs it beside PostgreSQL;
# tests/image.sh builds it without a daemon, and tests it.

ARG BUILD_IMAGE=rust:1-bookworm
ARG RUN_IMAGE=debian:bookworm-slim

FROM ${BUILD_IMAGE} AS build
WORKDIR /build
# The manifest names the benches: they must be there, though nobody runs them here.
COPY Cargo.toml Cargo.lock build.rs ./
COPY benches benches
COPY src src
ARG QIJIN_COMMIT=
# The caches are the builder's, not the image's: a second build compiles what changed.
RUN --mount=type=cache,id=qijin-registry,target=/usr/local/cargo/registry \
    --mount=type=cache,id=qijin-target,target=/build/target \
    cargo build --release --locked --bin qijin && cp target/release/qijin /usr/local/bin/qijin

FROM ${RUN_IMAGE}
# Statistics are by local day; posters and charts need a Chinese font. User and group have the same number in every image: a
# volume outlives it.
RUN apt-get update \
    && apt-get install -y --no-install-recommends tzdata fonts-wqy-microhei \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/qijin --shell /usr/sbin/nologin qijin \
    && install -d -o qijin -g qijin -m 750 /var/lib/qijin
ENV TZ=Asia/Shanghai \
    QIJIN_LIBRARY_DIR=/usr/share/qijin/knowledge \
    QIJIN_INDEX_DIR=/var/lib/qijin/index \
    QIJIN_DATA_DIR=/var/lib/qijin/data
COPY --from=build /usr/local/bin/qijin /usr/local/bin/qijin
COPY knowledge /usr/share/qijin/knowledge
USER 10001
WORKDIR /var/lib/qijin
# Database, local key and index: keep this, and back it up.
VOLUME /var/lib/qijin
EXPOSE 8080 8081
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q '200 OK' <&3"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["qijin"]
CMD ["serve"]
