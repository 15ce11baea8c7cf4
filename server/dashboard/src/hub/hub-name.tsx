/** Whose calls, live queries and clients are shown, where a database may have several hubs. */
import { PATHS, type HubName as Found } from "../api/hub.ts";
import { useLive } from "../browser/live.ts";

export function HubName() {
  const { value } = useLive<Found>(PATHS.hub);
  if (!value?.shared) return null;
  return (
    <span className="tag hub-name" title="What other hubs of this database have is not shown here: open the dashboard at their own addresses, not at the load balancer's.">
      only of hub {value.hub}
    </span>
  );
}
