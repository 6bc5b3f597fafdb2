# docker build -t slipway . && docker run -p 8080:8080 -v slipway:/data slipway
FROM node:22-bookworm-slim AS build
WORKDIR /opt/slipway
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY gen gen
COPY src src
RUN npm run build && npm prune --omit=dev && mkdir data

FROM node:22-bookworm-slim
ENV NODE_ENV=production \
    # Fewer pools of memory beside Node's own heap.
    MALLOC_ARENA_MAX=2 \
    SLIPWAY_LISTEN=0.0.0.0:8080 \
    SLIPWAY_DATA_DIR=/data \
    SLIPWAY_LOG_FORMAT=json
WORKDIR /opt/slipway
COPY package.json ./
COPY ops/healthcheck.cjs ops/
COPY src/cli/slipway.cjs src/cli/
COPY --from=build /opt/slipway/node_modules node_modules
COPY --from=build /opt/slipway/dist dist
COPY --from=build --chown=node:node /opt/slipway/data /data
USER node
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["node", "/opt/slipway/ops/healthcheck.cjs"]
# No shell between: the signal to stop comes to Node itself.
ENTRYPOINT ["node", "/opt/slipway/src/cli/slipway.cjs"]
CMD ["serve"]
