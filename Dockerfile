# The hub with the motion application; another application: mount it and name its folder as the last argument.
FROM python:3.12-slim AS build
WORKDIR /src
COPY constraints.txt ./
COPY protocol protocol
COPY server server
COPY clients clients
COPY apps apps
RUN pip wheel --no-cache-dir --wheel-dir /wheels --constraint constraints.txt ./protocol ./clients/python ./server ./apps/motion

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 synovia
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --no-index --find-links /wheels synovia synovia-motion && rm -r /wheels
COPY apps/motion /app/motion
USER synovia
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD python -c "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=2)"
CMD ["synovia", "serve", "/app/motion", "--host", "0.0.0.0", "--port", "8000"]
