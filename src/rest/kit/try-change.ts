import { type Call, isUploadError, type RecordChange, type Uploads } from "../../core/index.js";

/** Whether all of the changes were made: false, and none was, where somebody came in between. */
export async function tryChangeRecords(
  uploads: Pick<Uploads, "changeRecords">,
  changes: readonly RecordChange[],
  call: Call,
): Promise<boolean> {
  try {
    await uploads.changeRecords({ changes }, call);
    return true;
  } catch (error) {
    if (isUploadError(error, "conflict")) return false;
    throw error;
  }
}
