import type { ParticipantRecord } from "../../src/api/types";

/** A participant as the server would send it. */
export function row(uuid: string, members: Partial<ParticipantRecord> = {}): ParticipantRecord {
  return {
    uuid,
    display_name: uuid,
    role: "guest",
    service_type: "conference",
    start_time: 0,
    has_media: true,
    is_video_call: "YES",
    is_audio_only_call: "NO",
    is_muted: "NO",
    is_presenting: "NO",
    ...members,
  };
}
