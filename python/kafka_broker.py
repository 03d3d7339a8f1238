"""A broker of Apache Kafka for one benchmark: one node, on free ports and in a folder of its own."""

import os
import socket
import subprocess
import time

# Any 16 bytes in base64.
CLUSTER = "MkU3OEVBNTcwNTJENDM2Qg"

PATIENCE = 60

# Records stay whatever their timestamp says; where a topic bounds its bytes, old records go within seconds.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.retention.ms=-1
log.retention.check.interval.ms=1000
log.initial.task.delay.ms=1000
log.segment.delete.delay.ms=1000
"""


def free_port() -> int:
    """Returns a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Broker:
    """A broker that runs as long as the `with` block; `jars` is the folder that `make kafka` fills."""

    def __init__(self, jars: str, folder: str) -> None:
        port, controller = free_port(), free_port()
        self.address = f"127.0.0.1:{port}"
        self.folder, self.port = folder, port
        properties = os.path.join(folder, "server.properties")
        with open(properties, "w", encoding="ascii") as file:
            file.write(PROPERTIES.format(port=port, controller=controller, folder=folder))
        # One collector thread: the cores are for those that are compared.
        java = ["java", "-Xms512m", "-Xmx1g", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-cp", f"{jars}/*"]
        format_ = [*java, "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", properties]
        subprocess.run(format_, check=True, stdout=subprocess.DEVNULL)
        self.command = [*java, "kafka.Kafka", properties]
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> "Broker":
        output = os.path.join(self.folder, "output")
        with open(output, "w", encoding="utf-8") as file:
            # A process group of its own: an interrupt at the terminal ends the benchmark, which ends the broker.
            self.process = subprocess.Popen(self.command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
        began = time.monotonic()
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                late = time.monotonic() - began > PATIENCE
                if late or self.process.poll() is not None:
                    self.__exit__()
                    with open(output, encoding="utf-8") as file:
                        raise SystemExit(f"error: Apache Kafka does not start; it printed:\n{file.read()}") from None
            time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
