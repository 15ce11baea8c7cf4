/** Shows what is left when a part of the page fails: the rest goes on. */
import { Component, type ReactElement, type ReactNode } from "react";
import { Button, Empty } from "../ui/controls.tsx";
import { describe } from "../ui/errors.ts";

interface Props {
  /** Another one begins anew. */
  readonly place?: string;
  readonly children: ReactNode;
}

export class Boundary extends Component<Props, { error: unknown; place: string | undefined }> {
  override state = { error: null, place: this.props.place };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  static getDerivedStateFromProps({ place }: Props, state: { place: string | undefined }): { error: unknown; place: string | undefined } | null {
    return place === state.place ? null : { error: null, place };
  }

  override render(): ReactNode {
    return this.state.error === null ? this.props.children : <Failed error={this.state.error} again={() => this.setState({ error: null })} />;
  }
}

function Failed({ error, again }: { error: unknown; again: () => void }): ReactElement {
  return (
    <Empty icon="alert" title="This cannot be shown" action={<Button onClick={again}>Try again</Button>}>
      {describe(error)}
    </Empty>
  );
}
