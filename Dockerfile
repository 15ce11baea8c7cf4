# The hub with the motion application; another application: mount it and name its folder as the last argument.
FROM python:3.12-slim AS server
WORKDIR /src
COPY constraints.txt ./
COPY protocol protocol
COPY server server
COPY clients/python clients/python
COPY apps apps
RUN pip wheel --no-cache-dir --wheel-dir /wheels --constraint constraints.txt ./protocol ./clients/python './server[metrics,traces,shared,vectors,s3]' './apps/motion[c3d]'
RUN pip install --no-cache-dir --no-index --find-links /wheels synovia synovia-motion \
    && synovia codegen apps/motion --ts apps/motion/desk/src/api

FROM node:22-slim AS page
WORKDIR /src
COPY clients/js clients/js
COPY server/dashboard server/dashboard
RUN cd server/dashboard && npm ci --no-audit --no-fund && npm run build
COPY --from=server /src/apps/motion/desk apps/motion/desk
RUN cd apps/motion/desk && npm ci --no-audit --no-fund && npx tsc --noEmit && npx vite build

FROM server AS motion
COPY --from=page /src/apps/motion/web apps/motion/web
COPY --from=page /src/server/synovia/dashboard/web server/synovia/dashboard/web
RUN rm /wheels/synovia-*.whl /wheels/synovia_motion-*.whl && pip wheel --no-cache-dir --no-deps --wheel-dir /wheels ./server ./apps/motion

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 synovia
COPY --from=motion /wheels /wheels
RUN pip install --no-cache-dir --no-index --find-links /wheels 'synovia[metrics,traces,shared,vectors,s3]' 'synovia-motion[c3d]' && rm -r /wheels
COPY --from=motion /src/apps/motion /app/motion
RUN rm -r /app/motion/desk
USER synovia
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD python -c "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=2)"
CMD ["synovia", "serve", "/app/motion", "--host", "0.0.0.0", "--port", "8000"]
