# The token service as an unprivileged user. Build: npm pack && docker build -t membrane-token .
FROM node:24-alpine
WORKDIR /app
COPY membrane-token-*.tgz ./
RUN npm install --omit=dev --no-audit --no-fund ./membrane-token-*.tgz && rm membrane-token-*.tgz
USER node
ENV PORT=8787
EXPOSE 8787
HEALTHCHECK CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then(({ ok }) => process.exit(ok ? 0 : 1))"]
ENTRYPOINT ["node_modules/.bin/membrane-token", "serve", "--host", "0.0.0.0"]
