/** Room that a store sets aside while there is some, and gives up when there is none left, so that what deletes can still be written. */
export interface RoomReserve {
  /** Bytes that are set aside. */
  readonly bytes: number;
  /** Sets them aside. @returns false where there is no room for them. */
  take(): Promise<boolean>;
  /** Gives them back. @returns whether they were set aside. */
  giveUp(): Promise<boolean>;
}
