# tornado-dit in a container.
#   docker build -t tornado-dit .                                     for the CPU alone
#   docker build -t tornado-dit --build-arg SDK_SHA256=HEX .          with the TornadoVM SDK, by setup-tornado.sh
#   docker build -t tornado-dit --build-arg SDK=unverified .          the same without a checksum
# Further build arguments: SDK_URL (another archive of the SDK), MAVEN_OPTS (a proxy).

FROM debian:trixie-slim AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl maven openjdk-25-jdk-headless \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/tornado-dit
COPY . .
ARG MAVEN_OPTS=
# --version builds. Of what it makes, only the jar, its libraries and its archive of classes are needed.
RUN ./dit --version \
    && find . -mindepth 2 -maxdepth 2 -name target ! -path ./runner/target -exec rm -rf {} + \
    && rm -rf runner/target/classes runner/target/generated-sources runner/target/maven-*
ARG SDK=
ARG SDK_URL=
ARG SDK_SHA256=
RUN if [ -n "$SDK$SDK_SHA256" ]; then \
        ./setup-tornado.sh --yes ${SDK:+"--$SDK"} ${SDK_URL:+--sdk-url "$SDK_URL"} ${SDK_SHA256:+--sha256 "$SDK_SHA256"}; \
    fi

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends openjdk-25-jre-headless \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home dit \
    && mkdir -m 1777 /work /var/cache/tornado-dit
COPY --from=build /opt/tornado-dit /opt/tornado-dit
# The driver is the host's: its container runtime puts it here.
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    XDG_CACHE_HOME=/var/cache
WORKDIR /work
USER 10001
ENTRYPOINT ["/opt/tornado-dit/dit"]
CMD ["--help"]
