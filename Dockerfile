# boxoffice: any role of it. By itself it keeps everything in /var/lib/boxoffice; docker-compose.yml shows the shared form.
#   docker build -t boxoffice . && docker run -p 127.0.0.1:8000:8000 -v boxoffice:/var/lib/boxoffice boxoffice

FROM debian:bookworm-slim AS build
WORKDIR /src
COPY tools/install_packages.sh tools/
RUN bash -euc 'source tools/install_packages.sh; install_packages "${build_packages[@]}"'
COPY web/docs/.npmrc web/docs/package.json web/docs/package-lock.json web/docs/
RUN cd web/docs && npm ci --omit=dev --no-progress --loglevel=error
COPY . .
# The compiler's cache outlives the layer: after a change only what it touches is compiled.
RUN --mount=type=cache,target=/root/.cache/ccache \
    cmake --preset release -DCMAKE_EXE_LINKER_FLAGS=-Wl,--strip-all && ninja -C build/release boxoffice

FROM debian:bookworm-slim AS runtime
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        ca-certificates libabsl20220623 libboost-url1.81.0 libcrypt1 libcurl4 libfmt9 libgeographiclib23 libhiredis0.14 libicu72 libpq5 \
        libprometheus-cpp-core1.0 libsimdjson14 libsqlite3-0 libssl3 libstdc++6 tzdata zlib1g && \
    apt-get clean && \
    rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* /usr/share/doc /usr/share/man /usr/share/info /usr/share/locale && \
    groupadd --system --gid 10001 boxoffice && \
    useradd --system --uid 10001 --gid boxoffice --home-dir /var/lib/boxoffice --shell /usr/sbin/nologin boxoffice && \
    install --directory --owner boxoffice --group boxoffice --mode 0700 /var/lib/boxoffice
COPY --from=build /src/build/release/boxoffice /usr/local/bin/boxoffice
COPY deploy/health.sh /usr/local/bin/boxoffice-health
RUN chmod 0755 /usr/local/bin/boxoffice-health && boxoffice version

# One layer, so that what was removed above takes no space.
FROM scratch
COPY --from=runtime / /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    BOXOFFICE_DATA=/var/lib/boxoffice \
    BOXOFFICE_LISTEN=0.0.0.0:8000 \
    BOXOFFICE_LOG_FORMAT=json
# boxoffice, as a number: Kubernetes tells by it that the image does not run as root.
USER 10001:10001
WORKDIR /var/lib/boxoffice
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 CMD ["boxoffice-health"]
ENTRYPOINT ["boxoffice"]
CMD ["serve"]
